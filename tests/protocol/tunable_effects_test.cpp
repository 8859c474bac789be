/// Tunables that do nothing say why.
#include "protocol/tunable_effects.hpp"

#include <doctest/doctest.h>

using namespace floe;

TEST_CASE("a tunable without effect says why; the node's own and those it looks at have one") {
  for (const auto& t : all_tunables()) {
    INFO(t.name);
    CHECK((!t.obsolete || !why_without_effect(t.which).empty()));
    CHECK((!t.own || why_without_effect(t.which).empty()));
  }
  CHECK_FALSE(why_without_effect(tunable::ip_alloc_algorithm).empty());
  for (const auto works : {tunable::vacuum_interval, tunable::seqnum_interval,
                           tunable::repack_limit, tunable::control_timeout})
    CHECK(why_without_effect(works).empty());
}
