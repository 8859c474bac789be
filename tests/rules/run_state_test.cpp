#include "protocol/rules/run_state.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace floe;

TEST_CASE("the run state never goes backwards, whatever is asked in whatever order") {
  const std::vector all{runstate::init,    runstate::setup,   runstate::first_recovery,
                        runstate::startup, runstate::running, runstate::shutdown};
  for (auto from : all)
    for (auto to : all) {
      const auto s = enter(from, to);
      CHECK((s == runstate_step::enters) == (to > from));
      CHECK((s == runstate_step::stays) == (to == from));
    }
  auto order = all;
  do {
    auto now = runstate::init;
    for (auto wanted : order) {
      const auto before = now;
      if (enter(now, wanted) == runstate_step::enters) now = wanted;
      CHECK(now >= before);
    }
    CHECK(now == runstate::shutdown);
  } while (std::ranges::next_permutation(order).found);
}
