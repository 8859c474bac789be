/// A cluster lives: it starts, elects, recovers, moves records, loses a node and takes it back.
#include <doctest/doctest.h>

#include "tests/actors/sim_cluster.hpp"

using namespace floe;
using namespace floe::test;

TEST_CASE("three nodes start, elect a leader and recover") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
}

TEST_CASE("a record moves to whoever locks it, and everybody sees the last value") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  std::vector<client*> clients{&c.connect(0), &c.connect(1), &c.connect(2)};
  const db_id db = attach_now(c, *clients[0], "moving.tdb");
  for (int round = 0; round < 12; ++round) {
    auto& who = *clients[static_cast<std::size_t>(round) % 3];
    attach_now(c, who, "moving.tdb");
    const auto held = lock_now(c, who, db, "key");
    CHECK(held.data == (round == 0 ? "" : "value " + std::to_string(round - 1)));
    store_now(c, who, held.lock_id, "value " + std::to_string(round));
  }
}

TEST_CASE("two locks, one recovery: a frozen database does not keep the other from coming back") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  auto& smbd = c.connect(0);
  auto& on2 = c.connect(2);
  const db_id locking = attach_now(c, smbd, "locking.tdb");
  const db_id brlock = attach_now(c, smbd, "brlock.tdb");
  attach_now(c, on2, "locking.tdb");
  attach_now(c, on2, "brlock.tdb");
  for (int i = 0; i < 50; ++i) {
    write_now(c, i % 2 ? smbd : on2, locking, "l" + std::to_string(i), "x" + std::to_string(i));
    write_now(c, on2, brlock, "b" + std::to_string(i), "y" + std::to_string(i));
  }
  const auto first = lock_now(c, smbd, locking, "l7");
  c.kill(1);
  // the second lock is asked for while the recovery goes on; it is granted although the first is still held
  const auto second = lock_now(c, smbd, brlock, "b9");
  CHECK(second.data == "y9");
  CHECK(!c.normal());
  store_now(c, smbd, second.lock_id, "new b9");
  store_now(c, smbd, first.lock_id, "new l7");
  REQUIRE(c.settle(20s));
  c.start(1);
  REQUIRE(c.settle(20s));
  auto& on1 = c.connect(1);
  for (client* who : {&smbd, &on1, &on2})
    for (int i = 0; i < 50; ++i) {
      CHECK(read_now(c, *who, locking, "l" + std::to_string(i)).data ==
            (i == 7 ? "new l7" : "x" + std::to_string(i)));
      CHECK(read_now(c, *who, brlock, "b" + std::to_string(i)).data ==
            (i == 9 ? "new b9" : "y" + std::to_string(i)));
    }
}
