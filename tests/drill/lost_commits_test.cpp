/// What explains that an acknowledged transaction is lost, and what does not.
#include <doctest/doctest.h>

#include "tests/drill/written_transactions.hpp"

using namespace floe::cli::drill;

TEST_CASE(
    "an acknowledged transaction that is lost is found, and explained only by a cluster that was "
    "cut and has no lock") {
  written_transactions w;
  w.commit(0, 1, 5, {{"a", ""}}, {{"a", "a1"}}, 1);
  w.commit(1, 6, 9, {{"a", "a1"}}, {{"a", "a2"}}, 2);
  w.rest({{"a", "a1"}});
  CHECK(w.broken(kept_commits_checker()) == 1);
  SUBCASE("a killed node explains nothing: commits are on all nodes") {
    w.h.disturb(1, 9'500, "killed", fault_kind::lost);
    CHECK(w.broken(kept_commits_checker()) == 1);
  }
  SUBCASE("cut off while it committed") {
    w.h.disturb(1, 5'500, "cut off", fault_kind::cut);
    CHECK(w.broken(kept_commits_checker()) == 0);
    CHECK(w.explained(kept_commits_checker()) == 1);
    w.h.cluster_lock = true;
    CHECK(w.broken(kept_commits_checker()) == 1);
  }
  SUBCASE("cut off later: both sides had it") {
    w.h.disturb(1, 20'000, "cut off", fault_kind::cut);
    CHECK(w.broken(kept_commits_checker()) == 1);
  }
}

TEST_CASE(
    "with a cluster lock a commit may be lost that was made on an older content when all who had "
    "the later one were gone") {
  written_transactions w;
  w.h.cluster_lock = true;
  w.s.recoveries = {recovered(1, 100, {0}, {0, 1, 2}, 150),
                    // without node 2
                    recovered(2, 2'000, {0}, {0, 1}, 2'100),
                    // node 2 alone
                    recovered(3, 8'000, {2}, {2}, 8'100),
                    recovered(4, 20'000, {0}, {0, 1, 2}, 20'100)};
  w.commit(0, 1, 2, {{"a", ""}}, {{"a", "a1"}}, 1);
  w.commit(0, 4, 5, {{"a", "a1"}}, {{"a", "a2"}}, 2);    // in the second
  w.commit(2, 10, 11, {{"a", "a1"}}, {{"a", "a3"}}, 2);  // in the third
  w.look(2, 12, 13, {{"a", "a3"}});
  w.h.disturb(2, 1'500, "cut off", fault_kind::cut);
  w.h.disturb(0, 6'000, "killed", fault_kind::lost);
  w.h.disturb(1, 7'000, "killed", fault_kind::lost);
  SUBCASE("that of the third is lost") {
    w.rest({{"a", "a2"}});
    w.nothing_is_broken();
    CHECK(w.explained(kept_commits_checker()) == 1);
  }
  SUBCASE("that of the second is lost") {
    w.rest({{"a", "a3"}});
    w.nothing_is_broken();
    CHECK(w.explained(kept_commits_checker()) == 1);
  }
  SUBCASE("both are lost: no other history explains it") {
    w.rest({{"a", "a1"}});
    CHECK(w.broken(kept_commits_checker()) > 0);
  }
  SUBCASE("one that had it was there") {
    w.h.cure(1, fault_kind::lost, 7'300);
    w.h.calm(1, 7'500);
    w.rest({{"a", "a2"}});
    CHECK(w.broken(kept_commits_checker()) == 1);
  }
  SUBCASE("a majority was asked for") {
    w.h.majority = true;
    w.rest({{"a", "a2"}});
    CHECK(w.broken(kept_commits_checker()) == 1);
  }
}

TEST_CASE(
    "with a cluster lock a commit may be lost that was made after a node had left in good order "
    "and the others were gone, for one that it has made alone") {
  written_transactions w;
  w.h.cluster_lock = true;
  w.s.recoveries = {recovered(1, 100, {0}, {0, 1, 2}, 150),
                    // with which node 1 leaves
                    recovered(2, 2'000, {0}, {0, 1, 2}, 2'100),
                    // node 1 alone
                    recovered(3, 8'000, {1}, {1}, 8'100),
                    recovered(4, 20'000, {0}, {0, 1, 2}, 20'100)};
  w.commit(0, 1, 2, {{"a", ""}}, {{"a", "a1"}}, 1);
  w.commit(0, 4, 5, {{"a", "a1"}}, {{"a", "a2"}}, 2);
  w.commit(1, 10, 11, {{"a", "a1"}}, {{"a", "a3"}}, 2);
  w.h.disturb(1, 1'500, "banned", fault_kind::out);
  w.h.disturbances.back().orderly = true;
  w.h.disturb(0, 6'000, "killed", fault_kind::lost);
  w.h.disturb(2, 7'000, "killed", fault_kind::lost);
  SUBCASE("one of the two is lost") {
    w.h.left(1, true, 2'200);
    for (const auto* kept : {"a2", "a3"}) {
      CAPTURE(kept);
      auto one = w;
      one.rest({{"a", kept}});
      one.nothing_is_broken();
      CHECK(one.explained(kept_commits_checker()) == 1);
    }
  }
  SUBCASE("it has committed nothing: that it went on alone explains no loss") {
    w.h.left(1, true, 2'200);
    w.h.transactions.pop_back();
    w.rest({{"a", "a1"}});
    CHECK(w.broken(kept_commits_checker()) == 1);
  }
  SUBCASE("one that had it was there") {
    w.h.left(1, true, 2'200);
    w.h.cure(2, fault_kind::lost, 7'300);
    w.h.calm(2, 7'500);
    w.rest({{"a", "a3"}});
    CHECK(w.broken(kept_commits_checker()) == 1);
  }
  SUBCASE("it had not left yet, and has what was acknowledged") {
    w.h.left(1, true, 9'000);
    w.rest({{"a", "a3"}});
    CHECK(w.broken(kept_commits_checker()) == 1);
  }
}

TEST_CASE("a transaction that runs while parts meet may have read what is thrown away") {
  written_transactions w;
  const auto made = [&](std::uint32_t generation, std::set<std::size_t> from,
                        const std::set<std::size_t>& nodes) {
    database_recovery r{
        .db = "p.tdb", .generation = generation, .at = generation * 1000, .from = std::move(from)};
    for (const auto n : nodes) r.committed[n] = r.at + 100;
    w.s.recoveries.push_back(r);
  };
  made(1, {0}, {0, 1, 2});
  made(4, {0}, {0});
  made(5, {1}, {1, 2});
  made(12, {0}, {0, 1, 2});
  for (const std::size_t n : {0, 1, 2}) w.h.disturb(n, 3'000, "cut off", fault_kind::cut);
  w.commit(0, 2, 3, {{"a", ""}, {"b", ""}}, {{"a", "a1"}, {"b", "b1"}}, 1);
  w.commit(0, 6, 7, {{"a", "a1"}, {"b", "b1"}}, {{"a", "a2"}, {"b", "b2"}}, 2);
  w.commit(2, 8, 9, {{"a", "a1"}, {"b", "b1"}}, {{"a", "a3"}, {"b", "b3"}}, 2);
  SUBCASE("it has begun before") {
    w.commit(2, 10, 14, {{"a", "a3"}}, {{"a", "a4"}}, 3);
    w.rest({{"a", "a4"}, {"b", "b2"}});
    w.nothing_is_broken();
  }
  SUBCASE("it has begun afterwards") {
    w.commit(2, 13, 14, {{"a", "a3"}}, {{"a", "a4"}}, 3);
    w.rest({{"a", "a4"}, {"b", "b2"}});
    CHECK(w.broken(whole_commits_checker()) > 0);
  }
  SUBCASE("nobody may go on without the others") {
    w.h.majority = true;
    w.commit(2, 10, 14, {{"a", "a3"}}, {{"a", "a4"}}, 3);
    w.rest({{"a", "a4"}, {"b", "b2"}});
    CHECK(w.broken(whole_commits_checker()) > 0);
  }
}

TEST_CASE("a node that found all copies equal when it went on alone is one like any other") {
  written_transactions w;
  w.h.cluster_lock = true;
  w.s.recoveries = {recovered(1, 100, {0}, {0, 1, 2}, 150),
                    // without node 1
                    recovered(2, 2'000, {0}, {0, 2}, 2'100),
                    // one of two alone, and then the other one
                    {.db = "p.tdb",
                     .generation = 3,
                     .at = 4'000,
                     .unchanged = true,
                     .from = {0},
                     .committed = {{0, 4'000}}},
                    {.db = "p.tdb",
                     .generation = 4,
                     .at = 8'000,
                     .unchanged = true,
                     .from = {2},
                     .committed = {{2, 8'000}}}};
  w.commit(0, 1, 2, {{"a", ""}}, {{"a", "a1"}}, 1);
  w.commit(0, 5, 6, {{"b", ""}}, {{"b", "b3"}}, 2);
  w.commit(2, 10, 11, {{"a", "a1"}}, {{"a", "a4"}}, 2);
  w.h.disturb(1, 1'500, "cut off", fault_kind::cut);
  w.h.disturb(0, 7'000, "killed", fault_kind::lost);
  w.rest({{"a", "a4"}, {"b", ""}});
  CHECK(w.explained(kept_commits_checker()) == 1);
  CHECK(w.broken(kept_commits_checker()) == 0);
}

TEST_CASE(
    "a part that has left the cluster lock to a larger one for as long as it must may have it, "
    "however "
    "short ago others were cut from each other") {
  constexpr time_us second = 1'000'000;
  written_transactions w;
  w.h.cluster_lock = true;
  w.s.recoveries = {
      recovered(1, 100, {0}, {0, 1, 2, 3}, 150),
      // without node 2
      {.db = "p.tdb",
       .generation = 2,
       .at = 3 * second,
       .from = {0},
       .committed = {{0, 3 * second}, {1, 3 * second}, {3, 3 * second}}},
      // node 2 alone
      {.db = "p.tdb",
       .generation = 3,
       .at = 20 * second,
       .from = {2},
       .committed = {{2, 20 * second}}},
      {.db = "p.tdb",
       .generation = 4,
       .at = 30 * second,
       .from = {0},
       .committed = {{0, 30 * second}, {1, 30 * second}, {2, 30 * second}, {3, 30 * second}}}};
  w.commit(0, 1, 2, {{"a", ""}}, {{"a", "a1"}}, 1);
  w.commit(0, 4'000, 4'001, {{"a", "a1"}}, {{"a", "a2"}}, 2);
  w.commit(2, 21'000, 21'001, {{"a", "a1"}}, {{"a", "a3"}}, 2);
  w.h.disturb(2, 1 * second, "cut off", fault_kind::cut);
  for (std::size_t n = 0; n < 4; ++n) w.h.disturb(n, 17 * second, "cut off", fault_kind::cut);
  for (const std::size_t n : {0, 1, 3}) w.s.links.push_back({2, 2 * second, n, false});
  w.rest({{"a", "a2"}});
  SUBCASE("it had") {
    w.nothing_is_broken();
    CHECK(w.explained(kept_commits_checker()) == 1);
  }
  SUBCASE("it has lost one of them only now") {
    w.s.links.push_back({2, 16 * second, 3, true});
    w.s.links.push_back({2, 18 * second, 3, false});
    CHECK(w.broken(kept_commits_checker()) == 1);
  }
  SUBCASE("it hears one of them") {
    w.s.links.push_back({2, 16 * second, 3, true});
    CHECK(w.broken(kept_commits_checker()) == 1);
  }
  SUBCASE("it has been started since, and was cut off again") {
    w.h.disturb(2, 4 * second, "killed", fault_kind::lost);
    w.h.disturbances.back().cured = 5 * second;
    CHECK(w.broken(kept_commits_checker()) == 1);
  }
}

TEST_CASE("what is only in memory may be lost with every process that had it") {
  written_transactions w;
  w.h.cluster_lock = true;
  w.h.replicated.insert("p.tdb");
  w.s.recoveries.push_back(
      {.db = "p.tdb", .at = 500, .from = {0, 1}, .committed = {{0, 600}, {1, 600}}});
  w.commit(0, 1, 5, {{"a", ""}}, {{"a", "a1"}}, 1);
  w.rest({{"a", ""}});
  CHECK(w.broken(kept_commits_checker()) == 1);
  w.h.disturb(0, 6'000, "killed", fault_kind::lost);
  CHECK(w.broken(kept_commits_checker()) == 1);  // node 1 has it
  SUBCASE("both ended") {
    w.h.disturb(1, 7'000, "killed", fault_kind::lost);
    CHECK(w.broken(kept_commits_checker()) == 0);
    CHECK(w.explained(kept_commits_checker()) == 1);
    w.h.replicated.clear();  // a persistent one is on their disks
    CHECK(w.broken(kept_commits_checker()) == 1);
  }
  SUBCASE("the last process ended while the other node was stopped: nobody may ask that one") {
    w.h.disturb(1, 5'500, "stopped", fault_kind::out);
    CHECK(w.broken(kept_commits_checker()) == 0);
    CHECK(w.explained(kept_commits_checker()) == 1);
    w.h.disturbances.back().cured = 5'900;  // it had been let in again
    CHECK(w.broken(kept_commits_checker()) == 1);
  }
  SUBCASE("the last process ended while the other node was cut off from it") {
    w.h.disturb(0, 5'500, "cut off", fault_kind::cut, 1, 0);
    w.h.disturb(1, 5'500, "cut off", fault_kind::cut, 1, 1);
    CHECK(w.broken(kept_commits_checker()) == 0);
    w.h.disturbances.back().side = 0;  // from others, with it
    CHECK(w.broken(kept_commits_checker()) == 1);
  }
  SUBCASE("the other node was stopped after that") {
    w.h.disturb(1, 6'500, "stopped", fault_kind::out);
    CHECK(w.broken(kept_commits_checker()) == 1);
  }
  SUBCASE("the other node was stopped after that, when no other was there") {
    w.h.disturb(1, 6'500, "stopped", fault_kind::out);
    w.h.disturb(2, 5'500, "banned", fault_kind::out);
    CHECK(w.broken(kept_commits_checker()) == 0);
    CHECK(w.explained(kept_commits_checker()) == 1);
    w.h.disturbances.back().cured = 6'400;
    CHECK(w.broken(kept_commits_checker()) == 1);
    w.h.disturb(2, 6'450, "paused", fault_kind::paused);
    CHECK(w.broken(kept_commits_checker()) == 0);
  }
  SUBCASE("the process that acknowledged it had ended when the answer arrived") {
    w.h.disturbances.clear();
    w.h.disturb(0, 4'900, "killed", fault_kind::lost);
    CHECK(w.broken(kept_commits_checker()) == 1);
    w.h.disturb(1, 7'000, "killed", fault_kind::lost);
    CHECK(w.explained(kept_commits_checker()) == 1);
    // the next process had a content of its own, from others
    w.s.recoveries.push_back(
        {.db = "p.tdb", .at = 4'920, .from = {2}, .committed = {{0, 4'950}, {2, 4'950}}});
    CHECK(w.broken(kept_commits_checker()) == 1);
  }
  SUBCASE("the other one had left with that recovery: it has nothing that was acknowledged then") {
    w.s.recoveries.back().generation = 5;
    w.s.maps.push_back({.node = 1, .at = 550, .generation = 4});
    CHECK(w.broken(kept_commits_checker()) == 1);
    w.s.maps.push_back({.node = 1, .at = 550, .generation = 5});
    CHECK(w.broken(kept_commits_checker()) == 0);
    CHECK(w.explained(kept_commits_checker()) == 1);
  }
  SUBCASE("it was told by one that had left with that recovery: the other one had been given it") {
    w.s.recoveries.back().generation = 5;
    w.s.maps.push_back({.node = 0, .at = 550, .generation = 5});
    CHECK(w.broken(kept_commits_checker()) == 1);
    w.h.disturb(1, 7'000, "killed", fault_kind::lost);
    CHECK(w.broken(kept_commits_checker()) == 0);
    CHECK(w.explained(kept_commits_checker()) == 1);
  }
  SUBCASE("a recovery of others says nothing about who had it") {
    w.s.recoveries.push_back(recovered(6, 800, {2}, {2}, 900));
    CHECK(w.broken(kept_commits_checker()) == 1);
    w.h.disturb(1, 7'000, "killed", fault_kind::lost);
    CHECK(w.broken(kept_commits_checker()) == 0);
  }
  SUBCASE("a third had it from the second") {
    w.s.recoveries.push_back(
        {.db = "p.tdb", .at = 6'500, .from = {1}, .committed = {{1, 6'600}, {2, 6'600}}});
    w.h.disturb(1, 7'000, "killed", fault_kind::lost);
    CHECK(w.broken(kept_commits_checker()) == 1);
    w.h.disturb(2, 8'000, "killed", fault_kind::lost);
    CHECK(w.broken(kept_commits_checker()) == 0);
  }
}
