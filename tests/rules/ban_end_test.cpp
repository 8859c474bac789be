#include "protocol/rules/ban_end.hpp"

#include <doctest/doctest.h>

using namespace floe;
using namespace std::chrono_literals;
using enum ban_cause;

namespace {
constexpr ban_sight frozen{.frozen = true};
}  // namespace

TEST_CASE("a ban that was asked for lasts as long as asked for") {
  CHECK(judge_ban(asked, frozen, 9s, 10s) == ban_state_now::goes_on);
  CHECK(judge_ban(asked, frozen, 10s, 10s) == ban_state_now::ends);
}

TEST_CASE("a ban because of a client that does not let go ends when it has") {
  CHECK(judge_ban(not_frozen, {}, 1s, 300s) == ban_state_now::goes_on);
  CHECK(judge_ban(not_frozen, frozen, 1s, 300s) == ban_state_now::ends);
}

TEST_CASE("a ban because of a full disk ends when there is room, and the node is frozen") {
  CHECK(judge_ban(cannot_store, frozen, 1s, 300s) == ban_state_now::goes_on);
  CHECK(judge_ban(cannot_store, {.room = true}, 1s, 300s) == ban_state_now::goes_on);
  CHECK(judge_ban(cannot_store, {.frozen = true, .room = true}, 1s, 300s) == ban_state_now::ends);
  for (auto c : {asked, spoiled})
    CHECK(judge_ban(c, {.frozen = true, .room = true}, 1s, 300s) == ban_state_now::goes_on);
}

TEST_CASE("who was wrong about its room looks for it ever later") {
  CHECK(room_pause(1) == 2s);
  CHECK(room_pause(2) == 4s);
  CHECK(room_pause(7) == room_pause(100));
}

TEST_CASE("no ban ends while a database of the node is not frozen") {
  for (auto c : {asked, not_frozen, cannot_store, spoiled})
    CHECK(judge_ban(c, {.room = true}, 400s, 300s) == ban_state_now::renewed);
}

TEST_CASE("causes have names that lead back to them") {
  for (auto c : {asked, not_frozen, cannot_store, spoiled}) CHECK(ban_cause_named(name(c)) == c);
  CHECK(!ban_cause_named("whatever"));
}
