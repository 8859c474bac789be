#include "protocol/rules/ban_end.hpp"

#include <doctest/doctest.h>

using namespace floe;
using namespace std::chrono_literals;
using enum ban_cause;

TEST_CASE("a ban that was asked for lasts as long as asked for") {
  CHECK(judge_ban(asked, true, 9s, 10s) == ban_state_now::goes_on);
  CHECK(judge_ban(asked, true, 10s, 10s) == ban_state_now::ends);
}

TEST_CASE("a ban because of a client that does not let go ends when it has") {
  CHECK(judge_ban(not_frozen, false, 1s, 300s) == ban_state_now::goes_on);
  CHECK(judge_ban(not_frozen, true, 1s, 300s) == ban_state_now::ends);
}

TEST_CASE("no ban ends while a database of the node is not frozen") {
  for (auto c : {asked, not_frozen, spoiled})
    CHECK(judge_ban(c, false, 400s, 300s) == ban_state_now::renewed);
}

TEST_CASE("causes have names that lead back to them") {
  for (auto c : {asked, not_frozen, spoiled}) CHECK(ban_cause_named(name(c)) == c);
  CHECK(!ban_cause_named("whatever"));
}
