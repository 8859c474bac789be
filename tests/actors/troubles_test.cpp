/// Status says what is wrong, why, since when and what to try; `healthy` is what a user would call so.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "actors/node/report/node_report.hpp"
#include "actors/node/report/troubles.hpp"
#include "protocol/messages.hpp"
#include "protocol/types/membership.hpp"
#include "protocol/types/tunable_value.hpp"
#include "storage/faults.hpp"
#include "tests/actors/ask.hpp"

using namespace floe;
using namespace floe::test;
using nlohmann::json;

namespace {

/// Ready is a node with which nothing is wrong that it suffers from: both are made of the same list.
json status(sim_cluster& c, std::size_t n) {
  auto s = json::parse(c.status(n));
  bool suffers = false;
  for (const auto& t : s["troubles"])
    suffers |= t["ill"] == true && (t["node"].is_null() || t["node"] == n);
  CHECK(s["health"]["ready"] == !suffers);
  return s;
}

bool check_holds(const json& status, const std::string& name) {
  for (const auto& c : status["health"]["checks"])
    if (c["name"] == name) return c["good"];
  FAIL("no check ", name);
  return false;
}

/// The first of this kind, or null.
json trouble_of(const json& status, const std::string& kind) {
  for (const auto& t : status["troubles"])
    if (t["kind"] == kind) return t;
  return {};
}

bool has(const json& text, const std::string& part) {
  return text.is_string() && text.get<std::string>().find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a cluster that is well says so, and nothing else") {
  sim_cluster c(3, 1, {.cluster_lock = true});
  REQUIRE(c.settle(20s));
  for (std::size_t n = 0; n < 3; ++n) {
    const auto s = status(c, n);
    CHECK(s["healthy"] == true);
    CHECK(s["troubles"].empty());
  }
}

TEST_CASE("the cluster lock cannot be had: no leader, not healthy, and every node says why") {
  sim_cluster c(3, 2, {.cluster_lock = true});
  REQUIRE(c.settle(20s));
  for (std::size_t n = 0; n < 3; ++n) c.locks().fail(c.ip(n), true);
  c.locks().lose();
  pass(c, 10s);
  for (std::size_t n = 0; n < 3; ++n) {
    const auto s = status(c, n);
    CHECK(s["healthy"] == false);
    CHECK(s["leader"].is_null());
    const auto none = trouble_of(s, "no-leader"), lock = trouble_of(s, "cluster-lock");
    REQUIRE(none.is_object());
    REQUIRE(lock.is_object());
    CHECK(has(none["text"], "/shared/lock cannot be had: "));
    CHECK(none["age_ms"] > 5000);
    CHECK(lock["age_ms"] > 5000);
    CHECK(lock["node"] == n);
    CHECK(has(s["warnings"].dump(), "nobody leads"));
  }
  for (std::size_t n = 0; n < 3; ++n) c.locks().fail(c.ip(n), false);
  pass(c, 20s);  // a lock that failed is tried again after a pause
  CHECK(status(c, 0)["healthy"] == true);
}

TEST_CASE("a node that was killed, one that hangs and one that never came are told apart") {
  sim_cluster c(4, 3, {.start = false});
  for (const std::size_t n : {0, 1, 2}) c.start(n);
  pass(c, 20s);
  c.kill(1);
  c.hang(2);
  pass(c, 12s);
  const auto s = status(c, 0);
  CHECK(s["healthy"] == false);
  CHECK(trouble_of(s, "ended")["node"] == 1);
  CHECK(trouble_of(s, "silent")["node"] == 2);
  CHECK(trouble_of(s, "never-seen")["node"] == 3);
  CHECK(has(trouble_of(s, "silent")["text"], "does not answer"));
  CHECK(trouble_of(s, "silent")["age_ms"] > 5000);
  // the silence began before the node was given up, and goes on
  const auto silent = trouble_of(s, "silent")["text"].get<std::string>();
  const auto words = std::string("no sign of life for ");
  REQUIRE(silent.find(words) != silent.npos);
  CHECK(1000 * std::stod(silent.substr(silent.find(words) + words.size())) >
        trouble_of(s, "silent")["age_ms"].get<double>());
  CHECK(s["nodes"][1]["absent"]["kind"] == "ended");
  CHECK_FALSE(s["nodes"][0].contains("absent"));
}

TEST_CASE("a node that was shut down says goodbye; who comes later hears of it from others only") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  REQUIRE(c.shut_down(1, 10s));
  c.kill(2);
  pass(c, 2s);
  const auto s = status(c, 0);
  const auto left = trouble_of(s, "shut-down"), killed = trouble_of(s, "ended");
  REQUIRE(left.is_object());
  REQUIRE(killed.is_object());
  CHECK(left["node"] == 1);
  CHECK(has(left["text"], "was shut down by its program"));
  CHECK(left["age_ms"] >= 2000);
  CHECK(killed["node"] == 2);
  CHECK(has(killed["text"], "has no process any more, killed or crashed: "));
  // of what was said before it came back nothing is left
  c.start(1);
  pass(c, 20s);
  c.kill(1);
  pass(c, 2s);
  CHECK(trouble_of(status(c, 0), "shut-down").is_null());
}

TEST_CASE("who has disabled recoveries, for how long yet, and that one waits for it") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  const auto disable = [&](std::uint32_t seconds) {
    c.connect(1).send_message(pnn::broadcast_connected, message::disable_recoveries,
                              wire::encode(disable_message{.pnn = pnn{1}, .timeout = seconds}));
    pass(c, 1s);
  };
  disable(60);
  const auto hint = trouble_of(status(c, 0), "recoveries-disabled");
  REQUIRE(hint.is_object());
  CHECK(has(hint["text"], "as node 1 has asked, for another 59 s"));
  CHECK(hint["ill"] == false);
  CHECK(status(c, 0)["recoveries_disabled"]["by"] == 1);
  c.kill(2);
  pass(c, 3s);
  const auto waits = trouble_of(status(c, 0), "recovery");
  REQUIRE(waits.is_object());
  CHECK(has(waits["text"], "recoveries are disabled, as node 1 has asked, for another 56 s"));
  disable(0);
  pass(c, 3s);
  CHECK(trouble_of(status(c, 0), "recovery").is_null());
  CHECK(status(c, 0)["recoveries_disabled"].is_null());
}

TEST_CASE("where not all have agreed to it nobody says goodbye") {
  sim_cluster c(2);
  REQUIRE(c.settle(20s));
  for (const std::size_t n : {0, 1})
    ask<control::set_tunable>(c, c.connect(n), {.value = 3, .name = "FeatureLevel"});
  REQUIRE(c.shut_down(1, 10s));
  pass(c, 2s);
  const auto ended = trouble_of(status(c, 0), "ended");
  REQUIRE(ended.is_object());
  CHECK(has(ended["text"], "node 1 has no process any more: "));
}

TEST_CASE("since when another node was stopped") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  ask<control::stop_node>(c, c.connect(1), {});
  pass(c, 5s);
  const auto stopped = trouble_of(status(c, 0), "stopped");
  REQUIRE(stopped.is_object());
  CHECK(stopped["age_ms"] > 2000);
  CHECK(stopped["age_ms"] <= 5000);
}

TEST_CASE(
    "a full disk: the database, the node and the system's words; over when a store works again") {
  sim_cluster c(2);
  REQUIRE(c.settle(20s));
  auto& w = c.connect(1);
  const auto db = attach_now(c, w, "full.tdb");
  write_now(c, w, db, "key", "before");
  c.disk(1).set_full(true);
  const auto held = lock_now(c, w, db, "key");
  std::string refused;
  store_record(w, held.lock_id, "x", after_write::unlock, 5s,
               [&](const auto& r) { refused = r ? "stored" : r.error().text; });
  REQUIRE(c.run([&] { return !refused.empty(); }, 10s));
  CHECK(refused.find("No space left on device") != std::string::npos);
  pass(c, 3s);
  const auto full = trouble_of(status(c, 1), "storage");
  REQUIRE(full.is_object());
  CHECK(full["db"] == "full.tdb");
  CHECK(full["node"] == 1);
  CHECK(full["age_ms"] >= 3000);
  CHECK(has(full["text"], "No space left on device"));
  CHECK(status(c, 1)["healthy"] == false);
  CHECK(trouble_of(status(c, 0), "storage").is_null());
  c.disk(1).set_full(false);
  unlock_now(c, w, held.lock_id);
  write_now(c, w, db, "key", "after");
  CHECK(trouble_of(status(c, 1), "storage").is_null());
}

TEST_CASE("a recovery that does not end says what it waits for: a client's lock, an operator") {
  sim_cluster c(2, 5, {.cluster_lock = true});
  REQUIRE(c.settle(20s));
  auto& w = c.connect(1);
  const auto db = attach_now(c, w, "held.tdb");
  write_now(c, w, db, "key", "value");
  auto& operators = c.connect(c.leader());
  ask<control::set_hold_phase>(c, operators, {"push"});
  ask<control::set_recmode>(c, operators, recovery_mode::active);
  pass(c, 5s);
  const auto held = trouble_of(status(c, c.leader()), "recovery");
  REQUIRE(held.is_object());
  CHECK(has(held["text"], "is held at push by an operator"));
  CHECK(held["next"] == "floe recovery release");
  CHECK(held["age_ms"] > 2000);
  ask<control::set_hold_phase>(c, operators, {""});
  REQUIRE(c.settle(20s));
  const auto locked = lock_now(c, w, db, "key");
  ask<control::set_recmode>(c, operators, recovery_mode::active);
  pass(c, 3s);
  const auto waits = trouble_of(status(c, 1), "freeze-waits");
  REQUIRE(waits.is_object());
  CHECK(waits["db"] == "held.tdb");
  CHECK(has(waits["text"], "held.tdb cannot freeze: "));
  unlock_now(c, w, locked.lock_id);
  REQUIRE(c.settle(20s));
  CHECK(status(c, 1)["healthy"] == true);
}

TEST_CASE("a ban says why, by whom and for how long, and a stopped node that it was an operator") {
  sim_cluster c(3, 6, {.cluster_lock = true});
  REQUIRE(c.settle(20s));
  auto& w = c.connect(2);
  ask<control::set_ban_state>(c, w, {.pnn = pnn{2}, .time = 60});
  pass(c, 3s);
  const auto own = trouble_of(status(c, 2), "banned");
  CHECK(has(own["text"], "node 2 is banned by an operator: asked by "));
  CHECK(has(own["next"], "floe -n 2 unban"));
  CHECK(has(own["text"], "58 s left"));  // it has given away what it had before, in milliseconds
  CHECK(trouble_of(status(c, 0), "banned")["node"] == 2);
  CHECK(status(c, 0)["healthy"] == false);
  ask<control::set_ban_state>(c, w, {.pnn = pnn{2}, .time = 0});
  auto& other = c.connect(1);
  ask<control::stop_node>(c, other, {});
  pass(c, 3s + 100ms);
  const auto stopped = trouble_of(status(c, 1), "stopped");
  CHECK(has(stopped["text"], "by an operator"));
  CHECK(stopped["next"] == "floe -n 1 continue");
  CHECK(stopped["age_ms"] >= 3000);
}

TEST_CASE("a check says with which trouble it does not hold") {
  sim_cluster c(3, 6, {.cluster_lock = true});
  REQUIRE(c.settle(20s));
  CHECK(check_holds(status(c, 1), "flags"));
  ask<control::stop_node>(c, c.connect(1), {});
  pass(c, 3s);
  CHECK_FALSE(check_holds(status(c, 1), "flags"));
  CHECK(status(c, 0)["healthy"] == false);         // a node is missing
  CHECK(status(c, 0)["health"]["ready"] == true);  // which is not this one
  for (std::size_t n = 0; n < 3; ++n) c.locks().fail(c.ip(n), true);
  c.locks().lose();
  pass(c, 10s);
  CHECK_FALSE(check_holds(status(c, 0), "leader"));
  CHECK_FALSE(check_holds(status(c, 0), "cluster-lock"));
}

TEST_CASE("of one database: what is refused, what is missing, and that it is frozen for long") {
  database_report d{};
  d.name = "a.tdb";
  d.state = freeze_state::frozen;
  d.state_age_ms = 100;
  CHECK(troubles_of(d, pnn{1}).empty());
  d.state_age_ms = 6000;
  REQUIRE(troubles_of(d, pnn{1}).size() == 1);
  CHECK(troubles_of(d, pnn{1})[0].kind == "database-frozen");
  d.damage = "a page is torn";
  d.storage_trouble = "no space left";
  CHECK(troubles_of(d, pnn{1}).size() == 3);
  for (const auto& t : troubles_of(d, pnn{1})) {
    CHECK(t.part == health_part::databases);
    CHECK(t.node == pnn{1});
    CHECK(t.db == "a.tdb");
  }
}

TEST_CASE("a node that left because its disk was full comes back when there is room") {
  sim_cluster c(3, 7, {.cluster_lock = true});
  REQUIRE(c.settle(20s));
  const std::size_t leader = c.leader(), poor = (leader + 1) % 3;
  auto& w = c.connect(leader);
  const auto db = attach_now(c, w, "full.tdb");
  for (int n = 0; n < 20; ++n) write_now(c, w, db, "key" + std::to_string(n), "value");
  c.disk(poor).set_full(true);
  ask<control::set_recmode>(c, w, recovery_mode::active);
  pass(c, 10s);
  const auto banned = trouble_of(status(c, poor), "banned");
  REQUIRE(banned.is_object());
  CHECK(has(banned["text"], "cannot-store"));
  pass(c, 20s);
  CHECK(trouble_of(status(c, poor), "banned").is_object());  // no room, no end
  c.disk(poor).set_full(false);
  pass(c, 15s);
  CHECK(status(c, poor)["healthy"] == true);
}

TEST_CASE(
    "a node that left because the file of a database could not be made comes back when there is "
    "room") {
  sim_cluster c(3, 7, {.cluster_lock = true});
  REQUIRE(c.settle(20s));
  const std::size_t leader = c.leader(), poor = (leader + 1) % 3;
  auto& w = c.connect(leader);
  c.disk(poor).set_full(true);
  attach_now(c, w, "new.tdb");
  ask<control::set_recmode>(c, w, recovery_mode::active);
  pass(c, 10s);
  const auto banned = trouble_of(status(c, poor), "banned");
  REQUIRE(banned.is_object());
  CHECK(has(banned["text"], "cannot open new.tdb"));
  CHECK(has(banned["next"], "comes back by itself"));
  pass(c, 20s);
  CHECK(trouble_of(status(c, poor), "banned").is_object());
  c.disk(poor).set_full(false);
  pass(c, 15s);
  CHECK(status(c, poor)["healthy"] == true);
  CHECK(status(c, leader)["healthy"] == true);
}

TEST_CASE("a node that has waited for a record for long asks again, and is shown once") {
  sim_cluster c(2);
  REQUIRE(c.settle(20s));
  auto& holder = c.connect(0);
  auto& waiter = c.connect(1);
  const auto db = attach_now(c, holder, "locking.tdb");
  attach_now(c, waiter, "locking.tdb");
  lock_now(c, holder, db, "k");
  std::optional<bool> got;
  lock_record(waiter, db, "k", 60s, [&](const auto& r) { got = r.has_value(); });
  pass(c, 12s);  // it is asked for again every five seconds
  const auto here = status(c, 0)["databases"][0], there = status(c, 1)["databases"][0];
  CHECK(there["migrations_resent"] >= 2);
  CHECK(here["locks_waiting"] == 1);
  REQUIRE(here["waiters"].size() == 1);
  CHECK(here["waiters"][0]["age_ms"] >= 11'000);
  CHECK_FALSE(got.has_value());
}
