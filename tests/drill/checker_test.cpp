/// The checkers, on histories made by hand: what they must find, and what they must let pass.
#include <doctest/doctest.h>

#include "tests/drill/written_records.hpp"

using namespace floe::cli::drill;

TEST_CASE("a history in order breaks nothing") {
  written_records w;
  const auto a = w.lock("a", 0, 1, 2, "", 0);
  w.store(a, 3, 4, "one");
  const auto b = w.lock("b", 1, 2, 6, "one", 3);
  w.store(b, 7, 8, "two");
  w.read(2, 9, 10, "two");
  for (const auto& c : all_checkers()) {
    CAPTURE(std::string(c.name));
    CHECK(c.check(w.h, w.s).empty());
  }
}

TEST_CASE("a lost write is found, and explained only by the loss of a node that had it") {
  written_records w;
  w.store(w.lock("a", 0, 1, 2, ""), 3, 4, "one");
  w.store(w.lock("b", 1, 5, 6, "one"), 7, 8, "two");
  w.read(2, 20, 21, "one");
  CHECK(w.broken(kept_writes_checker()) == 1);

  SUBCASE("its node died after it") {
    w.h.disturb(1, 10'000, "killed", fault_kind::lost);
    CHECK(w.broken(kept_writes_checker()) == 0);
    CHECK(w.explained(kept_writes_checker()) == 1);
  }
  SUBCASE("its node had died before it, and was whole again") {
    w.h.disturb(1, 1'000, "killed", fault_kind::lost);
    w.h.cure(1, fault_kind::lost, 3'000);
    w.h.calm(1, 4'000);
    CHECK(w.broken(kept_writes_checker()) == 1);
  }
  SUBCASE("another node died, which never had the record") {
    w.h.disturb(0, 15'000, "killed", fault_kind::lost);
    CHECK(w.broken(kept_writes_checker()) == 1);
  }
  SUBCASE("the record had gone to a node that died, but its writer kept a copy") {
    w.op(op_kind::lock, "c", 0, 9, 10, "two");
    w.h.disturb(0, 15'000, "killed", fault_kind::lost);
    CHECK(w.broken(kept_writes_checker()) == 1);
  }
  SUBCASE("a node that was cut off used an older copy of its own") {
    w.h.disturb(0, 5'000, "cut off", fault_kind::cut);
    w.store(w.lock("c", 0, 9, 10, "one"), 11, 12, "three");
    CHECK(w.broken(kept_writes_checker()) == 1);
  }
}

TEST_CASE(
    "a loss is put down to the node that had the record last, if all that had it were harmed") {
  written_records w;
  w.store(w.lock("a", 0, 1, 2, ""), 3, 4, "one");
  w.store(w.lock("b", 1, 5, 6, "one"), 7, 8, "two");
  const auto moved = w.lock("c", 2, 9, 10, "two");
  w.read(0, 40, 41, "one");
  const auto cause = [&] {
    const auto found = kept_writes_checker().check(w.h, w.s);
    REQUIRE(found.size() == 1);
    return found[0].because;
  };
  SUBCASE("the node that wrote it still has its copy") {
    w.h.disturb(2, 20'000, "killed", fault_kind::lost);
    CHECK(w.broken(kept_writes_checker()) == 1);
    w.h.disturb(1, 21'000, "killed", fault_kind::lost);
    CHECK(w.broken(kept_writes_checker()) == 0);
    CHECK(cause() == "node 2, killed at 0.020 s");
  }
  SUBCASE("what was written later goes back to it") {
    w.store(moved, 11, 12, "three");
    w.h.disturb(2, 20'000, "killed", fault_kind::lost);
    CHECK(w.broken(kept_writes_checker()) ==
          1);  // "two" is on node 1 yet; only "three" is explained
    CHECK(w.explained(kept_writes_checker()) == 1);
  }
  SUBCASE("a recovery had given it to everybody") {
    w.h.disturb(1, 20'000, "killed", fault_kind::lost);
    w.h.disturb(2, 20'000, "killed", fault_kind::lost);
    w.s.recoveries.push_back({.db = "a.tdb",
                              .generation = 7,
                              .at = 15'000,
                              .from = {0, 1, 2},
                              .committed = {{0, 16'000}, {1, 16'000}, {2, 16'000}}});
    CHECK(w.broken(kept_writes_checker()) == 1);
  }
  SUBCASE("a recovery without those who had it") {
    w.h.disturb(1, 11'000, "killed", fault_kind::lost);
    w.h.disturb(2, 11'000, "killed", fault_kind::lost);
    w.s.recoveries.push_back(
        {.db = "a.tdb", .generation = 7, .at = 15'000, .from = {0}, .committed = {{0, 16'000}}});
    CHECK(w.broken(kept_writes_checker()) == 0);
  }
  SUBCASE("a bad disk takes nothing away") {
    w.h.disturb(1, 20'000, "out of disk space", fault_kind::weak);
    w.h.disturb(2, 20'000, "out of disk space", fault_kind::weak);
    CHECK(w.broken(kept_writes_checker()) == 1);
  }
  SUBCASE("nodes that had been started again before it came there") {
    w.h.disturb(1, 1'000, "killed", fault_kind::lost);
    w.h.cure(1, fault_kind::lost, 2'000);
    w.h.disturb(2, 1'000, "killed", fault_kind::lost);
    w.h.cure(2, fault_kind::lost, 2'000);
    CHECK(w.broken(kept_writes_checker()) == 1);
  }
  SUBCASE("a node that was cut off throws away what it did until it knew") {
    w.h.disturb(1, 1'000, "cut off", fault_kind::cut);
    w.h.cure(1, fault_kind::cut, 2'000);
    w.h.disturb(2, 1'000, "cut off", fault_kind::cut);
    w.h.cure(2, fault_kind::cut, 2'000);
    CHECK(w.broken(kept_writes_checker()) == 0);
    w.h.calm(1, 3'000);
    CHECK(w.broken(kept_writes_checker()) == 1);
  }
}

TEST_CASE("who leaves in good order gives what it has to others, perhaps while somebody waits") {
  written_records w;
  w.store(w.lock("a", 0, 1, 2, ""), 3, 4, "one");
  w.h.disturb(0, 10'000, "banned", fault_kind::out);
  w.h.disturbances.back().orderly = true;
  w.s.recoveries.push_back({.db = "a.tdb",
                            .generation = 7,
                            .at = 12'000,
                            .from = {0, 1},
                            .committed = {{0, 13'000}, {1, 13'000}}});
  w.h.left(0, true, 14'000);
  w.read(1, 8, 60, "");
  SUBCASE("they are harmed as well") {
    w.h.disturb(1, 20'000, "banned", fault_kind::out);
    CHECK(w.broken(kept_writes_checker()) == 0);
    CHECK(w.explained(kept_writes_checker()) == 1);
  }
  SUBCASE("they are not") { CHECK(w.broken(kept_writes_checker()) == 1); }
  SUBCASE("by itself, and then they end") {
    w.h.disturbances.clear();
    w.h.left(0, true, 14'000);
    CHECK(w.broken(kept_writes_checker()) == 1);
    w.h.disturb(1, 20'000, "killed", fault_kind::lost);
    CHECK(w.broken(kept_writes_checker()) == 0);
    CHECK(w.explained(kept_writes_checker()) == 1);
  }
  SUBCASE("it had not, and leaves once more later") {
    w.s.recoveries.clear();
    w.h.disturbances.front() = {
        .node = 0, .from = 10'000, .what = "banned", .how = fault_kind::out};
    w.h.disturbances.front().orderly = true;
    w.h.left(0, false, 11'000);
    w.h.left(0, true, 50'000);
    CHECK(w.explained(kept_writes_checker()) == 1);
    CHECK(w.broken(kept_writes_checker()) == 0);
  }
  SUBCASE("one of them is not") {
    w.s.recoveries.back().committed[2] = 13'000;
    w.h.disturb(1, 20'000, "banned", fault_kind::out);
    CHECK(w.broken(kept_writes_checker()) == 1);
  }
  SUBCASE("they were harmed before") {
    w.h.disturb(1, 5'000, "killed", fault_kind::lost);
    w.h.cure(1, fault_kind::lost, 6'000);
    CHECK(w.broken(kept_writes_checker()) == 1);
  }
}

TEST_CASE("a wiped database deletes every record of it") {
  written_records w;
  w.store(w.lock("a", 0, 1, 2, ""), 3, 4, "one");
  w.wipe(0, 5, 6);
  w.read(1, 7, 8, "");
  CHECK(w.broken(kept_writes_checker()) == 0);
  CHECK(w.broken(kept_deletions_checker()) == 0);
  w.read(1, 9, 10, "one");
  CHECK(w.broken(kept_deletions_checker()) == 1);
}

TEST_CASE("a node that is out of the cluster may know only what it had") {
  written_records w;
  w.store(w.lock("a", 0, 1, 2, ""), 3, 4, "one");
  w.store(w.lock("b", 1, 5, 6, "one"), 7, 8, "two");
  w.h.disturb(2, 4'500, "cut off", fault_kind::cut);
  w.read(2, 20, 21, "one");
  CHECK(w.broken(kept_writes_checker()) == 0);
  w.h.calm(2, 29'000);  // it has not been healed: what looks calm has not noticed yet
  CHECK(w.h.disturbances[0].to == never);
  w.h.cure(2, fault_kind::cut, 29'500);
  w.h.calm(2, 30'000);
  w.read(2, 40, 41, "one");
  CHECK(w.broken(kept_writes_checker()) == 1);
}

TEST_CASE("a deleted record that comes back is found") {
  written_records w;
  w.store(w.lock("a", 0, 1, 2, ""), 3, 4, "one");
  w.erase(w.lock("b", 1, 5, 6, "one"), 7, 8);
  w.read(2, 9, 10, "");
  CHECK(w.broken(kept_deletions_checker()) == 0);
  w.read(2, 20, 21, "one");
  CHECK(w.broken(kept_deletions_checker()) == 1);
  CHECK(w.broken(kept_writes_checker()) == 0);
}

TEST_CASE("a write without an answer may have happened or not") {
  written_records w;
  w.store(w.lock("a", 0, 1, 2, ""), 3, 4, "one");
  w.store(w.lock("b", 1, 5, 6, "one"), 7, 8, "two", op_end::unknown);
  SUBCASE("not") { w.read(2, 20, 21, "one"); }
  SUBCASE("yes") { w.read(2, 20, 21, "two"); }
  for (const auto& c : all_checkers()) {
    CAPTURE(std::string(c.name));
    CHECK(w.broken(c) == 0);
  }
}

TEST_CASE(
    "a write without an answer that somebody has seen has happened, and may be lost as any other") {
  written_records w;
  w.store(w.lock("a", 0, 1, 2, ""), 3, 4, "one");
  w.store(w.lock("b", 1, 5, 6, "one"), 7, 8, "two", op_end::unknown);
  w.read(1, 9, 10, "two");
  w.read(2, 20, 21, "one");
  CHECK(w.broken(kept_writes_checker()) == 1);
  CHECK(w.broken(linear_records_checker()) == 0);
  w.h.disturb(1, 11'000, "killed", fault_kind::lost);
  CHECK(w.broken(kept_writes_checker()) == 0);
  CHECK(w.explained(kept_writes_checker()) == 1);
}

TEST_CASE("values out of nowhere and sights in no order are found") {
  SUBCASE("nobody wrote it") {
    written_records w;
    w.read(0, 1, 2, "ghost");
    CHECK(w.broken(linear_records_checker()) == 1);
  }
  SUBCASE("new, then old, while both were being written") {
    written_records w;
    w.op(op_kind::store, "a", 0, 1, 100, "one");
    w.op(op_kind::store, "b", 1, 1, 100, "two");
    w.read(2, 10, 20, "one");
    w.read(2, 30, 40, "two");
    w.read(2, 50, 60, "one");
    CHECK(w.broken(linear_records_checker()) > 0);
    CHECK(w.broken(kept_writes_checker()) == 0);
  }
}

TEST_CASE("a value that was written twice is in two places of the order") {
  written_records w;
  w.store(w.lock("a", 0, 1, 2, ""), 3, 4, "one");
  w.read(2, 5, 6, "one");
  w.store(w.lock("a", 0, 7, 8, "one"), 9, 10, "two");
  w.read(2, 11, 12, "two");
  w.store(w.lock("a", 0, 13, 14, "two"), 15, 16, "one");
  w.read(2, 17, 18, "one");
  CHECK(w.broken(linear_records_checker()) == 0);
  SUBCASE("others are looked at all the same") {
    w.op(op_kind::store, "a", 0, 21, 100, "three");
    w.op(op_kind::store, "b", 1, 21, 100, "four");
    for (const auto& [at, seen] : {std::pair{30, "three"}, {50, "four"}, {70, "three"}})
      w.read(2, at, at + 1, seen);
    CHECK(w.broken(linear_records_checker()) > 0);
  }
}

TEST_CASE("two holders of one lock are found, unless one of them was lost") {
  written_records w;
  w.lock("a", 0, 1, 2, "");
  w.lock("b", 1, 3, 4, "");
  CHECK(w.broken(exclusive_locks_checker()) == 1);
  w.h.disturb(0, 2'500, "paused", fault_kind::paused);
  CHECK(w.broken(exclusive_locks_checker()) == 0);
}

TEST_CASE("an rsn that falls is found") {
  written_records w;
  w.store(w.lock("a", 0, 1, 2, "", 0), 3, 4, "one");
  w.store(w.lock("b", 1, 5, 6, "one", 7), 7, 8, "two");
  w.lock("c", 1, 9, 10, "two", 6);
  CHECK(w.broken(rising_rsn_checker()) == 1);
}

TEST_CASE("two owners, no owner, and a copy that is newer than its owner's are found") {
  written_records w;
  w.s.resting = {{0, "a.tdb", "k", 0, 5}, {1, "a.tdb", "k", 0, 4}};
  CHECK(w.broken(one_owner_checker()) == 0);
  w.s.resting[1].rsn = 6;
  CHECK(w.broken(one_owner_checker()) == 1);
  w.s.resting[1] = {1, "a.tdb", "k", 1, 4};
  CHECK(w.broken(one_owner_checker()) == 1);
  w.s.resting = {{0, "a.tdb", "k", 1, 5}, {1, "a.tdb", "k", 0, 4}};
  CHECK(w.broken(one_owner_checker()) == 1);
}

TEST_CASE("a grant in a frozen database is found, one that was under way is not") {
  written_records w;
  w.s.frozen.push_back({0, "a.tdb", 5'000, 50'000});
  w.lock("a", 0, 1, 6, "");
  CHECK(w.broken(frozen_reads_checker()) == 0);
  w.lock("b", 1, 10, 11, "");
  CHECK(w.broken(frozen_reads_checker()) == 0);
  w.lock("c", 0, 10, 11, "");
  CHECK(w.broken(frozen_reads_checker()) == 1);
}

TEST_CASE("generations without a recovery, answers too many or none, and unrest are found") {
  written_records w;
  w.s.generations.push_back({0, 5, 7, 8, true});
  CHECK(w.broken(generations_checker()) == 0);
  w.s.generations.push_back({0, 5, 8, 9, false});
  CHECK(w.broken(generations_checker()) == 1);
  w.op(op_kind::lock, "a", 0, 1, 2, "", op_end::open);
  CHECK(w.broken(answered_once_checker()) == 1);
  w.s.answered_twice.emplace_back("client-3");
  CHECK(w.broken(answered_once_checker()) == 2);
  w.s.at_rest = false;
  w.s.unrest = "node 1 is ACTIVE";
  CHECK(w.broken(back_to_normal_checker()) == 1);
}

TEST_CASE("a ban that the drill did not ask for is found") {
  written_records w;
  w.s.bans.push_back({1, 5'000, "banned seconds=300 cause=asked", true});
  CHECK(w.broken(undeserved_bans_checker()) == 0);
  w.s.bans.push_back({2, 5'000, "banned seconds=300 cause=not_frozen", false});
  CHECK(w.broken(undeserved_bans_checker()) == 1);
}
