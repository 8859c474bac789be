/// The checkers, on histories made by hand: what they must find, and what they must let pass.
#include <doctest/doctest.h>

#include "cli/drill/checker/checker.hpp"

using namespace floe::cli::drill;

namespace {

/// A history written line by line; times in milliseconds.
struct written {
  history h;
  observations s;

  std::size_t op(op_kind k, const std::string& who, std::size_t node, time_us begin, time_us end,
                 const std::string& value, op_end result = op_end::done,
                 std::size_t under = static_cast<std::size_t>(-1)) {
    return h.begin({.kind = k,
                    .client = who,
                    .node = node,
                    .db = "a.tdb",
                    .key = "k",
                    .value = value,
                    .under = under,
                    .begin = begin * 1000,
                    .end = end * 1000,
                    .result = result});
  }
  std::size_t lock(const std::string& who, std::size_t node, time_us begin, time_us end,
                   const std::string& saw, std::uint64_t rsn = 0) {
    const auto i = op(op_kind::lock, who, node, begin, end, saw);
    h.ops[i].rsn = rsn;
    h.holdings[i] = {i, end * 1000, never};
    return i;
  }
  std::size_t store(std::size_t lock, time_us begin, time_us end, const std::string& value,
                    op_end result = op_end::done) {
    const auto holder = h.ops[lock];
    h.holdings[lock].to = begin * 1000;
    return op(op_kind::store, holder.client, holder.node, begin, end, value, result, lock);
  }
  std::size_t erase(std::size_t lock, time_us begin, time_us end) {
    const auto holder = h.ops[lock];
    h.holdings[lock].to = begin * 1000;
    return op(op_kind::erase, holder.client, holder.node, begin, end, "", op_end::done, lock);
  }
  void read(std::size_t node, time_us begin, time_us end, const std::string& saw) {
    op(op_kind::read, "r", node, begin, end, saw);
  }
  void wipe(std::size_t node, time_us begin, time_us end) {
    h.begin({.kind = op_kind::wipe,
             .client = "drill",
             .node = node,
             .db = "a.tdb",
             .begin = begin * 1000,
             .end = end * 1000,
             .result = op_end::done,
             .everywhere = true});
  }
  std::size_t broken(const checker& c) const {
    std::size_t n = 0;
    for (const auto& f : c.check(h, s)) n += f.broken;
    return n;
  }
  std::size_t explained(const checker& c) const { return c.check(h, s).size() - broken(c); }
};

}  // namespace

TEST_CASE("a history in order breaks nothing") {
  written w;
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
  written w;
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
  written w;
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
  written w;
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

TEST_CASE("of what two parts have written beside each other one is lost, and nothing else") {
  written w;
  const auto recovered = [&](std::uint32_t generation, time_us at, std::set<std::size_t> from) {
    database_recovery r{.db = "a.tdb", .generation = generation, .at = at * 1000, .from = from};
    for (const auto n : from) r.committed.emplace(n, at * 1000 + 500);
    w.s.recoveries.push_back(std::move(r));
  };
  recovered(1, 1, {0, 1, 2});
  w.store(w.lock("b", 1, 3, 4, ""), 5, 6, "before");
  recovered(2, 10, {0});
  recovered(3, 11, {1, 2});
  const auto of_node_0 = [&] { w.store(w.lock("a", 0, 20, 21, "before"), 22, 23, "of node 0"); };
  const auto merged = [&] {
    recovered(4, 40, {0, 1, 2});
    w.s.recoveries.back().from = {1, 2};
  };
  SUBCASE("both have written it") {
    w.store(w.lock("b", 1, 14, 15, "before"), 16, 17, "of node 1");
    of_node_0();
    merged();
    SUBCASE("one is there") {
      w.read(2, 50, 51, "of node 1");
      CHECK(w.broken(kept_writes_checker()) == 0);
      CHECK(w.explained(kept_writes_checker()) == 1);
    }
    SUBCASE("but where one part excludes the other that explains nothing") {
      w.h.cluster_lock = true;
      w.read(2, 50, 51, "of node 1");
      CHECK(w.broken(kept_writes_checker()) > 0);
    }
    SUBCASE("nor may both be lost") {
      w.read(2, 50, 51, "before");
      CHECK(w.broken(kept_writes_checker()) == 2);
    }
  }
  SUBCASE("one has, after both had the record, and the other has looked at it") {
    of_node_0();
    w.read(1, 30, 31, "before");
    CHECK(w.broken(kept_writes_checker()) == 0);
    merged();
    w.read(2, 50, 51, "before");
    CHECK(w.broken(kept_writes_checker()) == 1);
  }
}

TEST_CASE(
    "a node that was started again out of reach has a content of its own from its first map on") {
  written w;
  database_recovery before{.db = "a.tdb", .generation = 1, .at = 1000, .from = {0, 1}};
  before.committed = {{0, 1500}, {1, 1500}};
  w.s.recoveries.push_back(before);
  w.store(w.lock("a", 0, 2, 3, ""), 4, 5, "before");
  w.h.disturb(1, 10'000, "killed", fault_kind::lost);
  w.h.cure(1, fault_kind::lost, 12'000);
  w.s.maps = {{0, 1400, 1, true}, {1, 1400, 1, true}, {1, 14'000, 2, true}};
  const auto of_node_1 = [&] { w.store(w.lock("b", 1, 20, 21, ""), 22, 23, "of node 1"); };
  const auto merged = [&] {
    database_recovery r{.db = "a.tdb", .generation = 3, .at = 40'000, .from = {0}};
    r.committed = {{0, 40'500}, {1, 40'500}};
    w.s.recoveries.push_back(r);
  };
  SUBCASE("both have written the record: one is there") {
    w.store(w.lock("a", 0, 16, 17, "before"), 18, 19, "of node 0");
    of_node_1();
    merged();
    w.read(1, 50, 51, "of node 0");
    CHECK(w.broken(kept_writes_checker()) == 0);
    CHECK(w.explained(kept_writes_checker()) == 1);
  }
  SUBCASE("nor may both be lost") {
    w.store(w.lock("a", 0, 16, 17, "before"), 18, 19, "of node 0");
    of_node_1();
    merged();
    w.read(1, 50, 51, "");
    CHECK(w.broken(kept_writes_checker()) > 0);
  }
  SUBCASE("they have met in a generation: it is no part of its own") {
    w.s.maps.push_back({0, 14'100, 2, true});
    w.store(w.lock("a", 0, 16, 17, "before"), 18, 19, "of node 0");
    of_node_1();
    merged();
    w.read(1, 50, 51, "of node 0");
    CHECK(w.broken(kept_writes_checker()) > 0);
  }
}

TEST_CASE("a wiped database deletes every record of it") {
  written w;
  w.store(w.lock("a", 0, 1, 2, ""), 3, 4, "one");
  w.wipe(0, 5, 6);
  w.read(1, 7, 8, "");
  CHECK(w.broken(kept_writes_checker()) == 0);
  CHECK(w.broken(kept_deletions_checker()) == 0);
  w.read(1, 9, 10, "one");
  CHECK(w.broken(kept_deletions_checker()) == 1);
}

TEST_CASE(
    "a wipe in one part of a cluster is gone with all who took part in it, and not by the cut") {
  written w;
  const auto made = [&](std::uint32_t generation, const std::set<std::size_t>& nodes) {
    database_recovery r{
        .db = "a.tdb", .generation = generation, .at = generation * 1000, .from = nodes};
    for (const auto n : nodes) r.committed[n] = r.at + 100;
    w.s.recoveries.push_back(r);
  };
  made(1, {0, 1, 2});
  w.store(w.lock("a", 0, 2, 3, ""), 4, 5, "one");
  w.h.disturb(0, 6'000, "cut off", fault_kind::cut);
  made(7, {1, 2});
  made(8, {0});
  w.wipe(0, 9, 10);
  SUBCASE("the others write something, and they have met when the wipe is acknowledged") {
    w.h.cure(0, fault_kind::cut, 8'400);
    w.h.calm(0, 8'500);
    made(13, {0, 1, 2});
    w.h.ops.back().end = 14'000;
    w.store(w.lock("b", 1, 7, 8, "one"), 8, 8, "theirs");
    w.read(1, 20, 21, "theirs");
    CHECK(w.broken(kept_deletions_checker()) > 0);
    w.s.replacements.push_back({0, "a.tdb", 9'500});
    CHECK(w.broken(kept_deletions_checker()) == 0);
  }
  SUBCASE("node 0 is there when they meet") {
    w.h.cure(0, fault_kind::cut, 11'000);
    w.h.calm(0, 12'000);
    made(13, {0, 1, 2});
    w.read(1, 20, 21, "one");
    CHECK(w.broken(kept_deletions_checker()) == 1);
  }
  SUBCASE("node 0 is taken out: nobody else had it") {
    w.h.disturb(0, 10'500, "banned", fault_kind::out);
    w.h.cure(0, fault_kind::cut, 11'000);
    w.h.cure(0, fault_kind::out, 11'000);
    made(13, {1, 2});
    w.s.recoveries.back().committed[0] = 13'100;
    w.read(1, 20, 21, "one");
    CHECK(w.broken(kept_deletions_checker()) == 0);
    CHECK(w.explained(kept_deletions_checker()) == 1);
  }
  SUBCASE("node 0 gives what it has to node 3, which was there as well, and leaves") {
    w.s.recoveries.back().committed[3] = 8'100;
    w.h.disturb(3, 6'000, "cut off", fault_kind::cut);
    w.h.disturb(0, 10'500, "banned", fault_kind::out);
    w.h.disturbances.back().orderly = true;
    w.h.left(0, true, 10'600);
    bool killed = false;
    SUBCASE("node 3 is killed") { killed = true; }
    SUBCASE("node 3 is there when they meet") {}
    if (killed) w.h.disturb(3, 10'700, "killed", fault_kind::lost);
    w.h.cure(0, fault_kind::cut, 11'000);
    w.h.cure(3, fault_kind::cut, 11'000);
    made(13, {1, 2});
    w.s.recoveries.back().committed[0] = w.s.recoveries.back().committed[3] = 13'100;
    w.read(1, 20, 21, "one");
    CHECK(w.broken(kept_deletions_checker()) == (killed ? 0 : 1));
  }
}

TEST_CASE("a node that is out of the cluster may know only what it had") {
  written w;
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
  written w;
  w.store(w.lock("a", 0, 1, 2, ""), 3, 4, "one");
  w.erase(w.lock("b", 1, 5, 6, "one"), 7, 8);
  w.read(2, 9, 10, "");
  CHECK(w.broken(kept_deletions_checker()) == 0);
  w.read(2, 20, 21, "one");
  CHECK(w.broken(kept_deletions_checker()) == 1);
  CHECK(w.broken(kept_writes_checker()) == 0);
}

TEST_CASE("a write without an answer may have happened or not") {
  written w;
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
  written w;
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
    written w;
    w.read(0, 1, 2, "ghost");
    CHECK(w.broken(linear_records_checker()) == 1);
  }
  SUBCASE("new, then old, while both were being written") {
    written w;
    w.op(op_kind::store, "a", 0, 1, 100, "one");
    w.op(op_kind::store, "b", 1, 1, 100, "two");
    w.read(2, 10, 20, "one");
    w.read(2, 30, 40, "two");
    w.read(2, 50, 60, "one");
    CHECK(w.broken(linear_records_checker()) > 0);
    CHECK(w.broken(kept_writes_checker()) == 0);
  }
}

TEST_CASE("two holders of one lock are found, unless one of them was lost") {
  written w;
  w.lock("a", 0, 1, 2, "");
  w.lock("b", 1, 3, 4, "");
  CHECK(w.broken(exclusive_locks_checker()) == 1);
  w.h.disturb(0, 2'500, "paused", fault_kind::paused);
  CHECK(w.broken(exclusive_locks_checker()) == 0);
}

TEST_CASE("an rsn that falls is found") {
  written w;
  w.store(w.lock("a", 0, 1, 2, "", 0), 3, 4, "one");
  w.store(w.lock("b", 1, 5, 6, "one", 7), 7, 8, "two");
  w.lock("c", 1, 9, 10, "two", 6);
  CHECK(w.broken(rising_rsn_checker()) == 1);
}

TEST_CASE("two owners, no owner, and a copy that is newer than its owner's are found") {
  written w;
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
  written w;
  w.s.frozen.push_back({0, "a.tdb", 5'000, 50'000});
  w.lock("a", 0, 1, 6, "");
  CHECK(w.broken(frozen_reads_checker()) == 0);
  w.lock("b", 1, 10, 11, "");
  CHECK(w.broken(frozen_reads_checker()) == 0);
  w.lock("c", 0, 10, 11, "");
  CHECK(w.broken(frozen_reads_checker()) == 1);
}

TEST_CASE("generations without a recovery, answers too many or none, and unrest are found") {
  written w;
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
