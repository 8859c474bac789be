/// What may be lost, and what must be there, where parts of a cluster have gone on beside each other.
#include <doctest/doctest.h>

#include "tests/drill/written_records.hpp"

using namespace floe::cli::drill;

TEST_CASE("of what two parts have written beside each other one is lost, and nothing else") {
  written_records w;
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
  written_records w;
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

TEST_CASE(
    "a wipe in one part of a cluster is gone with all who took part in it, and not by the cut") {
  written_records w;
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
