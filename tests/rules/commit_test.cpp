#include "protocol/rules/commit.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace floe;

namespace {
constexpr pnn n0{0}, n1{1}, n2{2};
constexpr std::array all{n0, n1, n2};
constexpr auto normal = recovery_mode::normal, active = recovery_mode::active;
using enum update_answer;

database_commit begun() {
  database_commit c;
  REQUIRE(c.begin(normal, db_kind::persistent, n1, all) == commit_refusal::none);
  return c;
}
}  // namespace

TEST_CASE("commit: what is refused before anything is sent") {
  database_commit c;
  CHECK(c.begin(active, db_kind::persistent, n1, all) == commit_refusal::in_recovery);
  CHECK(c.begin(normal, db_kind::volatile_db, n1, all) == commit_refusal::wrong_kind);
  CHECK(c.begin(normal, db_kind::persistent, pnn{7}, all) == commit_refusal::no_nodes);
  CHECK(c.state() == commit_state::idle);
  CHECK(c.begin(normal, db_kind::replicated, n1, all) == commit_refusal::none);
  CHECK(c.begin(normal, db_kind::replicated, n1, all) == commit_refusal::busy);
}

TEST_CASE(
    "commit: it goes to all members of the map, whatever is believed of them, and to all others "
    "that are active") {
  const std::vector map{pnn{0}, pnn{1}, pnn{2}}, active{pnn{0}, pnn{3}};
  CHECK(who_must_store(pnn{0}, map, active) == std::vector{pnn{0}, pnn{1}, pnn{2}, pnn{3}});
  CHECK(who_must_store(pnn{1}, map, active).empty());
}

TEST_CASE("commit: who is not in the map, and takes no part, may refuse") {
  const std::vector map{pnn{0}, pnn{1}};
  CHECK_FALSE(good_without(pnn{1}, failure_cause::apart, map));
  CHECK(good_without(pnn{2}, failure_cause::apart, map));
  CHECK_FALSE(good_without(pnn{2}, failure_cause::refused, map));
  CHECK_FALSE(good_without(pnn{2}, failure_cause::timed_out, map));
}

TEST_CASE("commit: of whom nothing is heard, and who is in no map, the leader has to know") {
  const std::vector map{pnn{0}, pnn{1}};
  const std::vector<commit_peer> nodes{
      {pnn{0}, false}, {pnn{1}}, {pnn{2}}, {pnn{3}, false}, {pnn{4}, false, true}};
  CHECK(unheard_outsiders(pnn{1}, map, nodes) == std::vector{pnn{3}});
  CHECK(unheard_outsiders(pnn{3}, map, nodes).empty());
}

TEST_CASE("commit: good when all nodes have stored it, once") {
  auto c = begun();
  const auto number = c.number();
  CHECK(c.answered(number, n0, stored, "") == commit_step{});
  CHECK(c.answered(number, n0, stored, "") == commit_step{});
  CHECK(c.answered(number, n2, stored, "") == commit_step{});
  CHECK(c.waiting_for().size() == 1);
  CHECK(c.answered(number, n1, stored, "").answer == 0);
  CHECK(c.state() == commit_state::idle);
  CHECK(c.answered(number, n1, stored, "") == commit_step{});
}

TEST_CASE("commit: a node fails, a recovery is asked for, and its end is the answer") {
  auto c = begun();
  CHECK(c.answered(c.number(), n0, stored, "") == commit_step{});
  const auto failed = c.answered(c.number(), n2, refused, "disk full");
  CHECK_FALSE(failed.answer);
  CHECK(failed.recover.find("disk full") != std::string::npos);
  // late good answers change nothing
  CHECK(c.answered(c.number(), n1, stored, "") == commit_step{});
  CHECK(c.begin(normal, db_kind::persistent, n1, all) == commit_refusal::busy);
  CHECK(c.mode_changed(active) == commit_step{});
  CHECK(c.mode_changed(normal).answer == commit_cut_by_recovery);
  CHECK(c.state() == commit_state::idle);
}

TEST_CASE("commit: what all nodes have refused has happened nowhere, and needs no recovery") {
  auto c = begun();
  CHECK(c.answered(c.number(), n2, refused, "disk full") == commit_step{});
  CHECK(c.answered(c.number(), n0, refused, "a record here is newer") == commit_step{});
  CHECK(c.state() == commit_state::updating);
  SUBCASE("all have") {
    const auto end = c.answered(c.number(), n1, refused, "a record here is newer");
    CHECK(end.answer == commit_refused);
    CHECK(end.why == "node 2 did not store a transaction: disk full");
    CHECK(end.recover.empty());
    CHECK(c.state() == commit_state::idle);
  }
  SUBCASE("one has it") {
    CHECK_FALSE(c.answered(c.number(), n1, stored, "").recover.empty());
    CHECK(c.state() == commit_state::undecided);
  }
  SUBCASE("of one it is not known") {
    CHECK_FALSE(c.answered(c.number(), n1, unknown, "timed out").recover.empty());
    CHECK(c.state() == commit_state::undecided);
  }
  SUBCASE("a recovery has begun: that is waited for") {
    CHECK(c.mode_changed(active) == commit_step{});
    CHECK(c.answered(c.number(), n1, refused, "in recovery") == commit_step{});
    CHECK(c.state() == commit_state::undecided);
    CHECK(c.mode_changed(normal).answer == commit_cut_by_recovery);
  }
}

TEST_CASE("commit: a recovery begins in the middle") {
  SUBCASE("and nodes refuse for it: no second cry for help") {
    auto c = begun();
    CHECK(c.mode_changed(active) == commit_step{});
    CHECK(c.answered(c.number(), n0, unknown, "in recovery") == commit_step{});
    CHECK(c.mode_changed(normal).answer == commit_cut_by_recovery);
  }
  SUBCASE("and all nodes had it: then it is good, nobody can take it back") {
    auto c = begun();
    CHECK(c.mode_changed(active) == commit_step{});
    for (pnn n : {n0, n1}) CHECK(c.answered(c.number(), n, stored, "") == commit_step{});
    CHECK(c.answered(c.number(), n2, stored, "").answer == 0);
    CHECK(c.mode_changed(normal) == commit_step{});
  }
  SUBCASE("and ends while answers are missing; they count for nothing afterwards") {
    auto c = begun();
    const auto old = c.number();
    c.mode_changed(active);
    CHECK(c.mode_changed(normal).answer == commit_cut_by_recovery);
    REQUIRE(c.begin(normal, db_kind::persistent, n1, all) == commit_refusal::none);
    for (pnn n : all) CHECK(c.answered(old, n, stored, "") == commit_step{});
    CHECK(c.answered(old, n0, refused, "") == commit_step{});
    CHECK(c.state() == commit_state::updating);
  }
}

TEST_CASE("commit: the client goes: a recovery, unless one runs") {
  auto c = begun();
  CHECK_FALSE(c.client_gone().recover.empty());
  CHECK(c.state() == commit_state::idle);
  CHECK(c.client_gone() == commit_step{});
  auto d = begun();
  d.mode_changed(active);
  CHECK(d.client_gone() == commit_step{});
}

TEST_CASE("update: newer is stored, the same again too, anything else is a conflict") {
  using enum update_outcome;
  const auto kind = db_kind::persistent;
  CHECK(decide_update(kind, std::nullopt, rsn{1}) == store);
  CHECK(decide_update(db_kind::volatile_db, std::nullopt, rsn{1}) == skip);
  CHECK(decide_update(kind, update_present{rsn{1}, false}, rsn{2}) == store);
  CHECK(decide_update(kind, update_present{rsn{2}, true}, rsn{2}) == store);
  CHECK(decide_update(kind, update_present{rsn{3}, true}, rsn{2}) == store);
  CHECK(decide_update(kind, update_present{rsn{2}, false}, rsn{2}) == conflict);
  CHECK(decide_update(kind, update_present{rsn{3}, false}, rsn{2}) == conflict);
  CHECK(decide_update(db_kind::volatile_db, update_present{rsn{3}, false}, rsn{2}) == conflict);
}

TEST_CASE(
    "update: once more is only what is there as a whole; some of it there says that another has "
    "its number") {
  const std::optional<update_present> same = update_present{rsn{5}, true},
                                      older = update_present{rsn{4}, false};
  update_request again, first, rival, after_deletion;
  for (int i = 0; i < 2; ++i) again.saw(same, rsn{5}, false);
  CHECK(!again.is_another());
  first.saw(older, rsn{5}, false);
  first.saw(std::nullopt, rsn{1}, false);
  first.saw(std::nullopt, rsn{1}, true);
  CHECK(!first.is_another());
  rival.saw(older, rsn{5}, false);
  rival.saw(same, rsn{5}, false);  // the sequence number, which rivals write alike
  CHECK(rival.is_another());
  after_deletion.saw(same, rsn{5}, false);
  after_deletion.saw(std::nullopt, rsn{5}, true);
  CHECK(!after_deletion.is_another());
}

TEST_CASE("update: when a node stores for others") {
  const generation now{7}, before{6};
  CHECK(check_update(normal, false, now, now) == update_refusal::none);
  CHECK(check_update(normal, true, now, now) == update_refusal::inactive);
  CHECK(check_update(active, false, now, now) == update_refusal::in_recovery);
  CHECK(check_update(normal, false, before, now) == update_refusal::other_generation);
}
