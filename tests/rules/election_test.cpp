/// Who wins a vote, and who may lead at all; the machine: election-*.txt.
#include "protocol/rules/election.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace floe;

namespace {

constexpr pnn me{1};

standing able(std::uint64_t since = 100) {
  return {.can_lead = true, .priority = {since, 0}, .connected = 3};
}

}  // namespace

TEST_CASE("who wins a vote") {
  struct row {
    const char* what;
    standing own;
    vote other;
    bool wins;
  };
  const pnn low{0}, high{2};
  auto cannot = able(1);
  cannot.can_lead = false;
  for (const auto& r : std::vector<row>{
           {"older", able(100), {.node = high, .priority = {101, 0}}, true},
           {"younger", able(100), {.node = low, .priority = {99, 0}}, false},
           {"older by a microsecond", able(100), {.node = high, .priority = {100, 1}}, true},
           {"as old, higher pnn", able(100), {.node = low, .priority = {100, 0}}, true},
           {"as old, lower pnn", able(100), {.node = high, .priority = {100, 0}}, false},
           {"against an inactive elder",
            able(100),
            {.node = low, .inactive = true, .priority = {1, 0}},
            true},
           {"cannot lead, though older", cannot, {.node = low, .priority = {100, 0}}, false},
           {"cannot lead, against an inactive one", cannot, {.node = low, .inactive = true}, false},
           {"the number of connected nodes decides nothing",
            able(100),
            {.node = low, .priority = {101, 0}, .connected = 99},
            true},
       }) {
    CAPTURE(r.what);
    CHECK(wins_against(me, r.own, r.other) == r.wins);
  }
}

TEST_CASE("who can lead") {
  CHECK(can_be_leader(false, true));
  CHECK_FALSE(can_be_leader(true, true));
  CHECK_FALSE(can_be_leader(false, false));
}
