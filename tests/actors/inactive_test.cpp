/// Stopped and banned nodes, and what once went wrong with them.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "protocol/constants.hpp"
#include "protocol/types/membership.hpp"
#include "protocol/wire/codec.hpp"
#include "tests/actors/ask.hpp"

using namespace floe;
using namespace floe::test;
using nlohmann::json;

namespace {

void send(sim_cluster& s, client& c, control op, const bytes& data = {}) {
  CHECK(ask_any(s, c, op, data).has_value());
}
bytes ban_of(std::size_t n, std::uint32_t seconds) {
  return wire::encode(ban_state{.pnn = pnn{static_cast<std::uint32_t>(n)}, .time = seconds});
}
void set(sim_cluster& c, std::size_t n, const std::string& name, std::uint32_t value) {
  c.config(n).tunables.set(name, value);
}

std::uint32_t flags_of(sim_cluster& c, std::size_t node, std::size_t seen_by) {
  return json::parse(c.status(seen_by))["nodes"][node]["flags"].get<std::uint32_t>();
}
/// All databases of the node are frozen, or not yet (a client holds a lock).
bool frozen(sim_cluster& c, std::size_t n) {
  const auto s = json::parse(c.status(n));
  return std::ranges::none_of(s["databases"], [](const json& d) { return d["state"] == "thawed"; });
}
/// The nodes that are active are one cluster at rest.
bool at_rest(sim_cluster& c) {
  std::set<std::uint64_t> generations;
  std::size_t active = 0;
  std::vector<json> all;
  for (std::size_t i = 0; i < c.size(); ++i) {
    const auto s = json::parse(c.status(i));
    if (s["nodes"][i]["flags"].get<std::uint32_t>() & node_flag::inactive) continue;
    ++active;
    all.push_back(s);
  }
  for (const auto& s : all) {
    if (s["recovery_mode"] != "NORMAL" || s["vnn_map"].size() != active) return false;
    for (const auto& d : s["databases"])
      if (d["state"] != "thawed") return false;
    generations.insert(s["generation"].get<std::uint64_t>());
  }
  return generations.size() == 1;
}
void rest(sim_cluster& c, duration limit = 60s) {
  const auto end = c.loop_now() + limit;
  while (!at_rest(c)) {
    REQUIRE(c.loop_now() < end);
    pass(c, 50ms);
  }
}
void recover(sim_cluster& c, client& at) {
  send(c, at, control::set_recmode, wire::encode(std::uint32_t{1}));
  pass(c, 10ms);
  REQUIRE(c.settle(20s));
}
bool logged(const sim_cluster& c, const std::string& what) {
  return std::ranges::any_of(
      c.log(), [&](const std::string& line) { return line.find(what) != std::string::npos; });
}

}  // namespace

TEST_CASE("trap: a ban of an already inactive node neither thaws it when it ends nor lets it in") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  auto& on1 = c.connect(1);
  attach_now(c, on1, "a.tdb");
  send(c, on1, control::stop_node);
  rest(c);
  CHECK(frozen(c, 1));
  send(c, on1, control::set_ban_state, ban_of(1, 3));
  CHECK(flags_of(c, 1, 1) == (node_flag::stopped | node_flag::banned));
  pass(c, 6s);  // the ban has ended by its time
  CHECK(flags_of(c, 1, 1) == node_flag::stopped);
  CHECK(frozen(c, 1));
  rest(c);
  CHECK(flags_of(c, 1, 0) == node_flag::stopped);
  send(c, on1, control::set_ban_state, ban_of(1, 300));
  send(c, on1, control::continue_node);
  pass(c, 3s);
  CHECK(flags_of(c, 1, 1) == node_flag::banned);
  CHECK(frozen(c, 1));
  send(c, on1, control::set_ban_state, ban_of(1, 0));
  REQUIRE(c.settle(20s));
}

TEST_CASE(
    "trap: a leader that became inactive leads no more, and does not begin to again while it is") {
  for (const bool ban : {false, true}) {
    CAPTURE(ban);
    sim_cluster c(3);
    REQUIRE(c.settle(20s));
    const auto leader = c.leader();
    auto& at = c.connect(leader);
    attach_now(c, at, "a.tdb");
    const auto out = [&](std::size_t n) {
      return [&c, n] { return (flags_of(c, n, n) & node_flag::inactive) != 0; };
    };
    send(c, at, ban ? control::set_ban_state : control::stop_node,
         ban ? ban_of(leader, 100) : bytes());
    REQUIRE(c.run(out(leader), 5s));
    pass(c, 1s);
    rest(c);
    for (std::size_t i = 0; i < 3; ++i)
      if (i != leader) CHECK(json::parse(c.status(i))["leader"].get<std::size_t>() != leader);
    CHECK(frozen(c, leader));
    // the next to fall, so that only one active node is left
    const auto second = json::parse(c.status((leader + 1) % 3))["leader"].get<std::size_t>();
    auto& at2 = c.connect(second);
    send(c, at2, control::stop_node);
    REQUIRE(c.run(out(second), 5s));
    pass(c, 1s);
    rest(c);
    const auto third = 3 - leader - second;
    CHECK(json::parse(c.status(third))["leader"].get<std::size_t>() == third);
    send(c, at, ban ? control::set_ban_state : control::continue_node,
         ban ? ban_of(leader, 0) : bytes());
    send(c, at2, control::continue_node);
    REQUIRE(c.settle(20s));
  }
}

TEST_CASE("trap: records of inactive nodes are not merged back") {
  for (const bool ban : {false, true}) {
    CAPTURE(ban);
    sim_cluster c(3);
    REQUIRE(c.settle(20s));
    auto& on0 = c.connect(0);
    auto& on1 = c.connect(1);
    const db_id db = attach_now(c, on0, "a.tdb");
    attach_now(c, on1, "a.tdb");
    for (int i = 0; i < 30; ++i) write_now(c, on1, db, fmt::format("k{}", i), "old");
    recover(c, on0);  // gives every node a copy
    send(c, on1, ban ? control::set_ban_state : control::stop_node, ban ? ban_of(1, 300) : bytes());
    rest(c);
    for (int i = 0; i < 10; ++i) write_now(c, on0, db, fmt::format("k{}", i), "new");
    for (int i = 10; i < 20; ++i) write_now(c, on0, db, fmt::format("k{}", i), "");  // deleted
    send(c, on1, ban ? control::set_ban_state : control::continue_node,
         ban ? ban_of(1, 0) : bytes());
    REQUIRE(c.settle(20s));
    for (client* who : {&on0, &on1})
      for (int i = 0; i < 30; ++i)
        CHECK(read_now(c, *who, db, fmt::format("k{}", i)).data == (i < 10   ? "new"
                                                                    : i < 20 ? ""
                                                                             : "old"));
  }
}

TEST_CASE("an operator bans a node: what only it had goes to the others first") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  auto& on0 = c.connect(0);
  auto& on1 = c.connect(1);
  const db_id db = attach_now(c, on0, "a.tdb");
  REQUIRE(c.settle(20s));
  const auto banned = [&] { return (flags_of(c, 1, 1) & node_flag::banned) != 0; };
  for (int i = 0; i < 30; ++i) write_now(c, on1, db, fmt::format("k{}", i), "v");
  send(c, on1, control::set_ban_state, ban_of(1, 300));
  REQUIRE(c.run(banned, 5s));
  rest(c);
  CHECK(logged(c, "node-left"));
  for (int i = 0; i < 30; ++i) CHECK(read_now(c, on0, db, fmt::format("k{}", i)).data == "v");
  // lifted before it has left, it is none; banned twice, it waits all the same, unless who asks has waited
  send(c, on1, control::set_ban_state, ban_of(1, 0));
  REQUIRE(c.settle(20s));
  send(c, on1, control::set_ban_state, ban_of(1, 300));
  send(c, on1, control::set_ban_state, ban_of(1, 0));
  REQUIRE(c.settle(20s));
  CHECK_FALSE(banned());
  lock_now(c, on1, db, "k1");  // it is waited for
  send(c, on1, control::set_ban_state, ban_of(1, 300));
  CHECK_FALSE(banned());
  send(c, on1, control::set_ban_state, ban_of(1, 200));
  CHECK_FALSE(c.run(banned, 100ms));
  REQUIRE(c.run(banned, 5s));
  // its connection was closed for the lock
  send(c, c.connect(1), control::set_ban_state, ban_of(1, 0));
  REQUIRE(c.settle(20s));
}

TEST_CASE(
    "an inactive node is frozen, always: stopped and banned at any moment of recoveries, clients "
    "at work") {
  for (std::uint64_t seed = 1; seed <= (thorough ? 15 : 1); ++seed) {
    CAPTURE(seed);
    sim_cluster c(3, seed);
    std::mt19937_64 chance(seed * 17);
    REQUIRE(c.settle(20s));
    std::vector<client*> at{&c.connect(0), &c.connect(1), &c.connect(2)};
    const db_id db = attach_now(c, *at[0], "a.tdb");
    for (int i = 0; i < 200; ++i) write_now(c, *at[0], db, fmt::format("k{}", i), "v");
    recover(c, *at[0]);
    for (int i = 0; i < 40; ++i) {
      const auto n = chance() % 2;  // node 2 stays, and so does every record
      switch (chance() % 5) {
        case 0: send(c, *at[n], control::stop_node); break;
        case 1: send(c, *at[n], control::continue_node); break;
        case 2:
          send(c, *at[n], control::set_ban_state,
               ban_of(n, 1 + static_cast<std::uint32_t>(chance() % 3)));
          break;
        case 3: send(c, *at[n], control::set_ban_state, ban_of(n, 0)); break;
        default: send(c, *at[n], control::set_recmode, wire::encode(std::uint32_t{1})); break;
      }
      for (int look = 0; look < 5; ++look) {
        pass(c, std::chrono::microseconds(chance() % 20'000));
        for (std::size_t k = 0; k < 3; ++k)
          if (flags_of(c, k, k) & node_flag::inactive) CHECK(frozen(c, k));
      }
    }
    for (std::size_t n = 0; n < 3; ++n) {
      send(c, *at[n], control::set_ban_state, ban_of(n, 0));
      send(c, *at[n], control::continue_node);
    }
    REQUIRE(c.settle(60s));
    for (int i = 0; i < 200; i += 20)
      CHECK(read_now(c, *at[1], db, fmt::format("k{}", i)).data == "v");
  }
}

TEST_CASE("a client that keeps a database from freezing is disconnected; no node is blamed") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  auto& stuck = c.connect(1);
  const db_id db = attach_now(c, stuck, "a.tdb");
  lock_now(c, stuck, db, "k");
  auto& on0 = c.connect(0);
  send(c, on0, control::set_recmode, wire::encode(std::uint32_t{1}));
  pass(c, 900ms);
  CHECK(logged(c, "freeze-waits db=a.tdb node=1"));
  const auto s = json::parse(c.status(1));
  CHECK(s["databases"][0]["state"] == "freezing");
  CHECK(s["databases"][0]["holders"].size() == 1);
  pass(c, 8s);
  CHECK(!logged(c, "holder-disconnected"));
  pass(c, 3s);
  CHECK(logged(c, "holder-disconnected"));
  REQUIRE(c.settle(10s));
  CHECK(!logged(c, " banned "));
  for (std::size_t n = 0; n < 3; ++n) CHECK(flags_of(c, n, 0) == 0);
}

TEST_CASE(
    "policy ban: the node of the stuck client is out until the client lets go, and says why") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  for (std::size_t n = 0; n < 3; ++n) c.kill(n);
  for (std::size_t n = 0; n < 3; ++n)
    set(c, n, "LockHolderPolicy", 2), set(c, n, "LockHolderPatience", 2), c.start(n);
  REQUIRE(c.settle(30s));
  auto& stuck = c.connect(1);
  const db_id db = attach_now(c, stuck, "a.tdb");
  write_now(c, stuck, db, "other", "value");
  const auto held = lock_now(c, stuck, db, "k");
  auto& on0 = c.connect(0);
  attach_now(c, on0, "a.tdb");
  send(c, on0, control::set_recmode, wire::encode(std::uint32_t{1}));
  pass(c, 3500ms);
  CHECK(flags_of(c, 1, 1) == node_flag::banned);
  rest(c, 20s);  // the others go on without waiting for the leader's patience
  const auto ban = json::parse(c.status(1))["ban"];
  CHECK(ban["cause"] == "not-frozen");
  CHECK(ban["why"].get<std::string>().find("has held the lock of record") != std::string::npos);
  pass(c, 20s);
  CHECK(flags_of(c, 1, 1) == node_flag::banned);
  bool gone = false;
  unlock_record(stuck, held.lock_id, 5s, [&](const auto&) { gone = true; });
  REQUIRE(c.run([&] { return gone; }, 10s));
  REQUIRE(c.settle(20s));  // long before the ban's 300 seconds
  CHECK(json::parse(c.status(1))["ban"].is_null());
}

TEST_CASE("trap: nobody is banned for another's fault") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  for (std::size_t n = 0; n < 3; ++n) c.kill(n);
  for (std::size_t n = 0; n < 3; ++n)
    set(c, n, "LockHolderPolicy", 0), set(c, n, "RecoverTimeout", 2), c.start(n);
  REQUIRE(c.settle(30s));
  auto& stuck = c.connect(1);
  const db_id db = attach_now(c, stuck, "a.tdb");
  const auto held = lock_now(c, stuck, db, "k");
  auto& on0 = c.connect(0);
  send(c, on0, control::set_recmode, wire::encode(std::uint32_t{1}));
  // the policy is to wait for the client: after three tries the leader bans its node, and only that
  pass(c, 20s);
  CHECK(flags_of(c, 1, 1) == node_flag::banned);
  CHECK(flags_of(c, 0, 0) == 0);
  CHECK(flags_of(c, 2, 2) == 0);
  rest(c, 10s);
  const auto ban = json::parse(c.status(1))["ban"];
  CHECK(ban["cause"] == "not-frozen");
  CHECK(ban["why"].get<std::string>().find("freeze of") != std::string::npos);
  bool gone = false;
  unlock_record(stuck, held.lock_id, 5s, [&](const auto&) { gone = true; });
  REQUIRE(c.run([&] { return gone; }, 10s));
  REQUIRE(c.settle(20s));
}

TEST_CASE("a recovery that waits for a node goes on without it as soon as that is stopped") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  const auto node = (c.leader() + 1) % 3;
  auto& stuck = c.connect(node);
  const db_id db = attach_now(c, stuck, "a.tdb");
  lock_now(c, stuck, db, "k");
  auto& other = c.connect(c.leader());
  attach_now(c, other, "a.tdb");
  send(c, other, control::set_recmode, wire::encode(std::uint32_t{1}));
  pass(c, 1s);
  send(c, stuck, control::stop_node);
  rest(c, 3s);
}
