#include "protocol/rules/deadlock.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>

using namespace floe;

namespace {

const lock_client smbd{.node = pnn{0}, .client = 3, .pid = 4711, .name = "smbd"};
const lock_client nfsd{.node = pnn{2}, .client = 3, .pid = 99, .name = ""};
constexpr db_id locking{1}, brlock{2};
const std::map<db_id, std::string> names{{locking, "locking.tdb"}, {brlock, "brlock.tdb"}};
using cause = blocked_request::cause;

std::string story(const std::vector<wait_edge>& cycle) {
  std::string s;
  for (const auto& e : cycle) s += describe(e, names) + "\n";
  return s;
}

}  // namespace

TEST_CASE("2015: a lock in one database, a wait in another, and all must freeze first") {
  const std::vector<lock_holding> held{{smbd, locking, "foo"}};
  const std::vector<blocked_request> waiting{
      {smbd, brlock, bytes("b\0r", 3), cause::freeze_barrier, {}}};
  CHECK(story(find_deadlock(held, waiting)) ==
        "smbd (pid 4711, node 0) waits for 0x620072 of brlock.tdb, which is frozen\n"
        "brlock.tdb may not be recovered before locking.tdb is frozen as well\n"
        "locking.tdb cannot freeze: \"foo\" is held by smbd (pid 4711, node 0)\n");
}

TEST_CASE("the same without the barrier dissolves by itself") {
  const std::vector<lock_holding> held{{smbd, locking, "foo"}};
  for (auto c : {cause::frozen_database, cause::recovering_database}) {
    const std::vector<blocked_request> waiting{{smbd, brlock, "bar", c, {}}};
    CHECK(find_deadlock(held, waiting).empty());
  }
}

TEST_CASE("two clients, each holding what the other wants") {
  const std::vector<lock_holding> held{{smbd, locking, "a"}, {nfsd, locking, "b"}};
  const std::vector<blocked_request> waiting{{smbd, locking, "b", cause::holder, nfsd},
                                             {nfsd, locking, "a", cause::holder, smbd}};
  CHECK(
      story(find_deadlock(held, waiting)) ==
      "smbd (pid 4711, node 0) waits for \"b\" of locking.tdb, held by client 3 (pid 99, node 2)\n"
      "client 3 (pid 99, node 2) waits for \"a\" of locking.tdb, held by smbd (pid 4711, node "
      "0)\n");
  CHECK(find_deadlock(held, {}).empty());
  CHECK(find_deadlock({}, waiting).size() == 2);
}

TEST_CASE(
    "recoveries of two databases, each unable to freeze for a client that waits for the other") {
  const std::vector<lock_holding> held{{smbd, locking, "a"}, {nfsd, brlock, "b"}};
  const std::vector<blocked_request> waiting{{smbd, brlock, "x", cause::frozen_database, {}},
                                             {nfsd, locking, "y", cause::recovering_database, {}}};
  const auto cycle = find_deadlock(held, waiting);
  REQUIRE(cycle.size() == 4);
  CHECK(cycle[0].from.is_client);
  CHECK(cycle[0].to.db == brlock);
  CHECK(cycle[1].to.client.pid == 99);
  CHECK(describe(cycle[2], names) ==
        "client 3 (pid 99, node 2) waits for \"y\" of locking.tdb, which is being recovered");
}

TEST_CASE("a queue is no deadlock, and a client that waits for itself is one") {
  const lock_client third{.node = pnn{1}, .client = 3};
  const std::vector<blocked_request> queue{{nfsd, locking, "a", cause::holder, smbd},
                                           {third, locking, "a", cause::holder, smbd}};
  CHECK(find_deadlock(std::vector<lock_holding>{{smbd, locking, "a"}}, queue).empty());
  const std::vector<blocked_request> self{{smbd, locking, "a", cause::holder, smbd}};
  CHECK(find_deadlock({}, self).size() == 1);
  const std::vector<blocked_request> frozen{{smbd, locking, "z", cause::frozen_database, {}}};
  CHECK(find_deadlock(std::vector<lock_holding>{{smbd, locking, "a"}}, frozen).size() == 2);
  CHECK(describe(wait_edge{.from = {.db = db_id{7}},
                           .why = wait_edge::kind::cannot_freeze,
                           .db = db_id{7},
                           .key = "k"},
                 names)
            .starts_with("database 7 cannot freeze"));
}

TEST_CASE("random waits: a cycle is found exactly if there is one, and it closes") {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 chance(seed);
    const auto client = [&] { return lock_client{.node = pnn{0}, .client = 1 + chance() % 8}; };
    std::vector<blocked_request> waiting;
    waiting.reserve(9);
    for (std::uint64_t i = 0; i < chance() % 9; ++i)
      waiting.push_back({client(), locking, "k", cause::holder, client()});
    // independent judgement: strip those who wait for nobody that waits, until nothing changes
    auto left = waiting;
    for (bool changed = true; changed;) {
      std::set<std::uint64_t> waiters;
      for (const auto& w : left) waiters.insert(w.who.client);
      changed = std::erase_if(
                    left, [&](const auto& w) { return !waiters.contains(w.holder.client); }) > 0;
    }
    const auto cycle = find_deadlock({}, waiting);
    CHECK(cycle.empty() == left.empty());
    for (std::size_t i = 0; i < cycle.size(); ++i)
      CHECK(cycle[i].to.client.client == cycle[(i + 1) % cycle.size()].from.client.client);
  }
}
