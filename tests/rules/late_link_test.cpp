/// Links that come up between nodes which the map has already.
#include "protocol/rules/late_link.hpp"

#include <doctest/doctest.h>

using namespace floe;
using enum recovery_mode;

TEST_CASE(
    "who comes into a map that has it already is recovered for, if a ctdbd may wait for what was "
    "dropped") {
  CHECK(judge_late_link(false, false, normal) == late_link::harmless);
  CHECK(judge_late_link(false, true, normal) == late_link::harmless);
  CHECK(judge_late_link(true, false, normal) == late_link::harmless);
  CHECK(judge_late_link(true, true, normal) == late_link::recover);
  CHECK(judge_late_link(true, true, active) == late_link::recover_again);
  CHECK(judge_late_link(false, true, active) == late_link::harmless);
}
