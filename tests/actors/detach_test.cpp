/// Detach: on all nodes or on none, and what is made anew is empty.
#include <set>

#include "protocol/types/database.hpp"
#include "tests/actors/transaction_support.hpp"

using namespace floe;
using namespace floe::test;

TEST_CASE("detach: only volatile databases, only where nobody may attach, then on all nodes") {
  sim_cluster s(3);
  REQUIRE(s.settle(20s));
  auto& c = s.connect(0);
  auto& other = s.connect(1);
  const db_id loose = attach_now(s, c, "loose.tdb");
  const db_id kept = attach_kind(s, c, "kept.tdb", db_kind::persistent);
  attach_now(s, other, "loose.tdb");
  write_now(s, c, loose, "key", "value");
  const auto forbid = [&](pnn n, std::uint32_t may) {
    set(s, c, tunable::allow_client_db_attach, may, n);
  };
  CHECK_FALSE(ask<control::db_detach>(s, c, loose).has_value());
  forbid(pnn{0}, 0);
  forbid(pnn{2}, 0);
  const auto refused = ask<control::db_detach>(s, c, loose);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().text.find("node 1") != std::string::npos);
  // a node that would have done it has not
  auto& third = s.connect(2);
  CHECK(read_now(s, third, loose, "key").data == "value");
  s.disconnect(third);
  forbid(pnn{1}, 0);
  CHECK_FALSE(ask<control::db_detach>(s, c, kept).has_value());
  // a client that waits for a record of it is told
  const auto held = lock_now(s, other, loose, "key");
  std::optional<result<locked_record>> waiting;
  lock_record(c, loose, "key", 30s, [&](const auto& r) { waiting = r; });
  CHECK_FALSE(s.run([&] { return waiting.has_value(); }, 100ms));
  REQUIRE(ask<control::db_detach>(s, c, loose).has_value());
  REQUIRE(s.run([&] { return waiting.has_value(); }, 1s));
  CHECK_FALSE(waiting->has_value());
  CHECK_FALSE(finish<void>(s, [&](auto done) {
                unlock_record(other, held.lock_id, 5s, done);
              }).has_value());
  for (std::size_t n = 0; n < 3; ++n) {
    auto& who = s.connect(n);
    CHECK_FALSE(finish<db_id>(s, [&](auto done) {
                  find_database(who, "loose.tdb", 5s, done);
                }).has_value());
    s.disconnect(who);
  }
  CHECK_FALSE(finish<db_id>(s, [&](auto done) {
                attach(c, "loose.tdb", db_kind::volatile_db, 5s, done);
              }).has_value());
  for (std::uint32_t n = 0; n < 3; ++n) forbid(pnn{n}, 1);
  // made anew it is empty
  attach_now(s, c, "loose.tdb");
  attach_now(s, other, "loose.tdb");
  CHECK_FALSE(read_now(s, other, loose, "key").found);
  write_now(s, other, loose, "key", "again");
  CHECK(read_now(s, c, loose, "key").data == "again");
  CHECK(s.settle(5s));
}

TEST_CASE(
    "detach: the node that was asked ends in the middle, and the others have it all or none") {
  std::set<bool> seen;
  for (int step = 1; step <= 16; ++step) {
    CAPTURE(step);
    sim_cluster s(4);
    REQUIRE(s.settle(20s));
    const auto asked = s.leader() == 0 ? std::size_t{1} : std::size_t{0};
    auto& c = s.connect(asked);
    const db_id loose = attach_now(s, c, "loose.tdb");
    REQUIRE(s.settle(20s));
    std::vector<client*> others;
    for (std::size_t n = 0; n < s.size(); ++n) {
      set(s, c, tunable::allow_client_db_attach, 0, pnn{static_cast<std::uint32_t>(n)});
      if (n != asked) others.push_back(&s.connect(n));
    }
    write_now(s, *others[0], loose, "key", "value");
    c.send_control(pnn::current, control::db_detach, wire::encode(number(loose)), 30s,
                   [](const auto&) {});
    pass(s, step * 150us);
    s.kill(asked);
    pass(s, 60s);
    REQUIRE(s.settle(20s));
    std::set<bool> has;
    for (auto* other : others)
      has.insert(finish<db_id>(s, [&](auto done) {
                   find_database(*other, "loose.tdb", 5s, done);
                 }).has_value());
    REQUIRE(has.size() == 1);
    seen.insert(*has.begin());
    if (*has.begin()) CHECK(read_now(s, *others[1], loose, "key").data == "value");
  }
  CHECK(seen.size() == 2);
}
