/// Traps that others fell into, each by its name. What a pure rule decides is tested in tests/rules; here is what
/// takes whole nodes.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "protocol/constants.hpp"
#include "protocol/hash.hpp"
#include "tests/actors/ask.hpp"

using namespace floe;
using namespace floe::test;

namespace {

nlohmann::json report(sim_cluster& c, std::size_t n) { return nlohmann::json::parse(c.status(n)); }

/// These nodes are NORMAL, are in one generation, and nobody else is in their map.
bool settled(sim_cluster& c, const std::vector<std::size_t>& nodes) {
  std::set<std::uint64_t> generations;
  for (auto n : nodes) {
    const auto s = report(c, n);
    if (s["recovery_mode"] != "NORMAL" || s["vnn_map"] != nlohmann::json(nodes)) return false;
    generations.insert(s["generation"].get<std::uint64_t>());
  }
  return generations.size() == 1;
}

bool wait_settled(sim_cluster& c, const std::vector<std::size_t>& nodes) {
  for (const auto end = c.loop_now() + 120s; c.loop_now() < end;) {
    if (settled(c, nodes)) return true;
    const auto next = c.loop_now() + 50ms;
    c.run([&] { return c.loop_now() >= next; }, 50ms);
  }
  return false;
}

void cut_off(sim_cluster& c, std::size_t n) {
  for (std::size_t other = 0; other < c.size(); ++other)
    if (other != n) c.net().cut(c.config(n).nodes[n].where.ip, c.config(n).nodes[other].where.ip);
}

void ask_for_recovery(sim_cluster& c, client& by) {
  ask<control::set_recmode>(c, by, recovery_mode::active);
}

void recover(sim_cluster& c, client& by) {
  const auto before = report(c, 0)["generation"];
  ask_for_recovery(c, by);
  REQUIRE(c.settle(60s));
  REQUIRE(report(c, 0)["generation"] != before);
}

void erase_now(sim_cluster& c, client& who, db_id db, const std::string& key) {
  const auto held = lock_now(c, who, db, key);
  bool done = false;
  delete_record(who, held.lock_id, after_write::unlock, 30s, [&](const auto& r) {
    REQUIRE(r.has_value());
    done = true;
  });
  REQUIRE(c.run([&] { return done; }));
}

/// A key whose lmaster is this node, in a map of all of `size` nodes.
std::string key_tracked_by(std::uint32_t node, std::uint32_t size) {
  for (int i = 0;; ++i)
    if (auto key = "key-" + std::to_string(i); key_hash(key) % size == node) return key;
}

void hold(sim_cluster& c, client& by, const std::string& phase) {
  for (std::uint32_t n = 0; n < c.size(); ++n) {
    if (!c.alive(n)) continue;
    bool done = false;
    by.control<control::set_hold_phase>(pnn{n}, {phase}, 10s, [&](const auto& r) {
      REQUIRE(r.has_value());
      done = true;
    });
    REQUIRE(c.run([&] { return done; }));
  }
}

bool is_held(sim_cluster& c) {
  for (std::size_t n = 0; n < c.size(); ++n) {
    if (!c.alive(n)) continue;
    const auto r = report(c, n)["recovery"];
    if (!r.is_object()) continue;
    if (r.value("held", "") != "") return true;
    for (const auto& d : r["databases"])
      if (d.value("held", "") != "") return true;
  }
  return false;
}

void wait_held(sim_cluster& c) {
  for (const auto end = c.loop_now() + 60s; c.loop_now() < end && !is_held(c);) {
    const auto next = c.loop_now() + 20ms;
    c.run([&] { return c.loop_now() >= next; }, 20ms);
  }
  REQUIRE(is_held(c));
}

}  // namespace

TEST_CASE("trap: a hung node returns with an old value, which must not win") {
  for (std::uint64_t seed = 1; seed <= (thorough ? 10 : 2); ++seed) {
    CAPTURE(seed);
    sim_cluster c(3, seed);
    REQUIRE(c.settle(20s));
    auto& zero = c.connect(0);
    auto& two = c.connect(2);
    const db_id db = attach_now(c, zero, "values.tdb");
    attach_now(c, two, "values.tdb");
    // the record wanders, so that node 2 has it with a high rsn, and everybody has an older copy
    for (int i = 0; i < 3; ++i) {
      write_now(c, zero, db, "k", "older");
      write_now(c, two, db, "k", "old");
    }
    recover(c, zero);
    for (int i = 0; i < 4; ++i) {
      write_now(c, zero, db, "k", "older");
      write_now(c, two, db, "k", "old");
    }
    cut_off(c, 2);
    REQUIRE(wait_settled(c, {0, 1}));
    write_now(c, zero, db, "k", "new");
    c.net().heal();
    REQUIRE(c.settle(60s));
    for (std::size_t n = 0; n < 3; ++n) CHECK(read_now(c, c.connect(n), db, "k").data == "new");
  }
}

TEST_CASE("trap: the leaders of two halves recover at once when the network heals") {
  for (std::uint64_t seed = 1; seed <= (thorough ? 40 : 3); ++seed) {
    CAPTURE(seed);
    sim_cluster c(5, seed);
    REQUIRE(c.settle(20s));
    auto& zero = c.connect(0);
    const db_id db = attach_now(c, zero, "halves.tdb");
    for (int i = 0; i < 20; ++i) write_now(c, zero, db, std::to_string(i), "before");
    recover(c, zero);
    for (std::size_t a : {0, 1, 2})
      for (std::size_t b : {3, 4})
        c.net().cut(c.config(a).nodes[a].where.ip, c.config(b).nodes[b].where.ip);
    REQUIRE(wait_settled(c, {0, 1, 2}));
    REQUIRE(wait_settled(c, {3, 4}));
    for (int i = 0; i < 20; i += 2) write_now(c, zero, db, std::to_string(i), "after");
    c.net().heal();
    REQUIRE(c.settle(60s));
    auto& four = c.connect(4);
    for (int i = 0; i < 20; ++i)
      CHECK(read_now(c, four, db, std::to_string(i)).data == (i % 2 ? "before" : "after"));
  }
}

TEST_CASE("trap: a deleted record comes back with a hung node") {
  for (std::uint64_t seed = 1; seed <= (thorough ? 10 : 2); ++seed) {
    CAPTURE(seed);
    sim_cluster c(3, seed);
    REQUIRE(c.settle(20s));
    auto& zero = c.connect(0);
    auto& two = c.connect(2);
    const db_id db = attach_now(c, zero, "values.tdb");
    attach_now(c, two, "values.tdb");
    write_now(c, two, db, "gone", "was here");
    recover(c, zero);
    cut_off(c, 2);
    REQUIRE(wait_settled(c, {0, 1}));
    erase_now(c, zero, db, "gone");
    // a recovery without it removes the empty record: nothing is left that could outvote the old copy
    ask_for_recovery(c, zero);
    REQUIRE(wait_settled(c, {0, 1}));
    c.net().heal();
    REQUIRE(c.settle(60s));
    for (std::size_t n = 0; n < 3; ++n) CHECK(!read_now(c, c.connect(n), db, "gone").found);
  }
}

TEST_CASE("trap: a request to the lost lmaster is sent again by the new map") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  auto& zero = c.connect(0);
  auto& two = c.connect(2);
  const db_id db = attach_now(c, zero, "routed.tdb");
  attach_now(c, two, "routed.tdb");
  const auto key = key_tracked_by(1, 3);
  write_now(c, two, db, key, "on node 2");
  recover(c, zero);
  write_now(c, two, db, key, "still on node 2");
  // the request goes to node 1, which never answers
  c.net().cut(c.config(0).nodes[0].where.ip, c.config(0).nodes[1].where.ip);
  std::optional<std::string> got;
  lock_record(zero, db, key, 60s,
              [&](const result<locked_record>& r) { got = r ? r->data : r.error().describe(); });
  c.run([] { return false; }, 200ms);
  REQUIRE(!got);
  c.kill(1);
  c.net().heal();
  REQUIRE(c.run([&] { return got.has_value(); }, 30s));
  CHECK(*got == "still on node 2");
}

TEST_CASE(
    "trap: a request that waits while its database recovers is granted once, with the last value") {
  for (const char* phase : {"freeze", "changes", "push", "commit", "thaw"}) {
    CAPTURE(phase);
    sim_cluster c(3);
    REQUIRE(c.settle(20s));
    auto& zero = c.connect(0);
    auto& two = c.connect(2);
    const db_id db = attach_now(c, zero, "deferred.tdb");
    attach_now(c, two, "deferred.tdb");
    write_now(c, two, db, "k", "last");
    hold(c, zero, std::string(phase) + "@deferred.tdb");
    ask_for_recovery(c, zero);
    wait_held(c);
    int grants = 0;
    lock_record(zero, db, "k", 60s, [&](const result<locked_record>& r) {
      REQUIRE(r.has_value());
      ++grants;
      CHECK(r->data == "last");
      store_record(zero, r->lock_id, "newer", after_write::unlock, 30s, [](const auto&) {});
    });
    c.run([] { return false; }, 300ms);
    hold(c, zero, "");
    REQUIRE(c.settle(60s));
    REQUIRE(c.run([&] { return grants > 0; }, 10s));
    CHECK(read_now(c, two, db, "k").data == "newer");
    CHECK(grants == 1);
  }
}

TEST_CASE("trap: a database attached during a recovery takes part in it") {
  for (const char* phase : {"start_recovery", "set_vnn_map", "recmode_normal"}) {
    CAPTURE(phase);
    sim_cluster c(3);
    REQUIRE(c.settle(20s));
    auto& zero = c.connect(0);
    const db_id old = attach_now(c, zero, "old.tdb");
    write_now(c, zero, old, "k", "v");
    hold(c, zero, phase);
    ask_for_recovery(c, zero);
    wait_held(c);
    bool attached = false;
    zero.send_control(pnn{1}, control::db_attach, encode_request<control::db_attach>({"late.tdb"}),
                      10s, [&](const result<client_reply>& r) { attached = r.has_value(); },
                      {.flags = control_flag::attach_in_recovery});
    REQUIRE(c.run([&] { return attached; }, 10s));
    hold(c, zero, "");
    REQUIRE(c.settle(60s));
    for (std::size_t n = 0; n < 3; ++n) {
      bool found = false;
      const auto all = report(c, n)["databases"];
      for (const auto& d : all) found |= d["name"] == "late.tdb";
      CHECK(found);
    }
    const db_id late = attach_now(c, zero, "late.tdb");
    write_now(c, zero, late, "k", "v");
    CHECK(read_now(c, c.connect(2), late, "k").data == "v");
  }
}

TEST_CASE("nodes that disagree about the kind of a database lose that database and nothing else") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  auto& zero = c.connect(0);
  auto& two = c.connect(2);
  const db_id good = attach_now(c, zero, "good.tdb");
  attach_now(c, two, "good.tdb");
  write_now(c, zero, good, "k", "v");
  cut_off(c, 2);
  REQUIRE(wait_settled(c, {0, 1}));
  REQUIRE(wait_settled(c, {2}));
  const auto attach_as = [&](client& by, db_kind kind) {
    std::optional<db_id> id;
    attach(by, "disputed.tdb", kind, 30s, [&](const result<db_id>& r) {
      REQUIRE(r.has_value());
      id = *r;
    });
    REQUIRE(c.run([&] { return id.has_value(); }));
    return *id;
  };
  const db_id disputed = attach_as(zero, db_kind::volatile_db);
  attach_as(two, db_kind::persistent);
  c.net().heal();
  REQUIRE(wait_settled(c, {0, 1, 2}));
  CHECK(read_now(c, two, good, "k").data == "v");
  write_now(c, two, good, "k", "w");
  CHECK(read_now(c, zero, good, "k").data == "w");
  std::string refusal;
  lock_record(zero, disputed, "k", 10s, [&](const result<locked_record>& r) {
    refusal = r ? "granted" : r.error().describe();
  });
  REQUIRE(c.run([&] { return !refusal.empty(); }));
  CHECK(refusal.find("its nodes disagree") != std::string::npos);
  CHECK(refusal.find("on 2") != std::string::npos);
  bool told = false;
  const auto warnings = report(c, 1)["warnings"];
  for (const auto& w : warnings)
    told |= w.get<std::string>().find("disputed.tdb") != std::string::npos;
  CHECK(told);
}

TEST_CASE("names that ctdbd takes are taken: any byte but a slash, and longer than a file's here") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  auto& zero = c.connect(0);
  for (const std::string& name :
       {std::string("a name with spaces"), std::string("two\nlines.tdb"), std::string(239, 'n'),
        std::string(240, 'm'), std::string(253, 'o'), std::string("~00c0ffee")}) {
    CAPTURE(name);
    const db_id id = attach_now(c, zero, name);
    CHECK(id == db_id_of(name));
    write_now(c, zero, id, "k", name);
    ask_for_recovery(c, zero);
    REQUIRE(c.settle(20s));
    CHECK(read_now(c, c.connect(2), id, "k").data == name);
  }
  for (const auto& name : {std::string(), std::string("a/b"), std::string(254, 'p')}) {
    std::optional<bool> taken;
    attach(zero, name, db_kind::volatile_db, 10s,
           [&](const result<db_id>& r) { taken = r.has_value(); });
    REQUIRE(c.run([&] { return taken.has_value(); }));
    CHECK_FALSE(*taken);
  }
}

TEST_CASE("names that ctdbd lets its clients choose are taken from other nodes") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  auto& zero = c.connect(0);
  for (const auto& name : {std::string(), std::string("../x.tdb"), "../v/" + std::string(400, 'p')})
    for (const auto kind : {control::db_attach, control::db_attach_persistent}) {
      CAPTURE(name);
      const std::string own = kind == control::db_attach ? name : name + "/lasting";
      const auto request = encode_request<control::db_attach>({own});
      CHECK_FALSE(ask_any(c, zero, kind, request));
      REQUIRE(ask_any(c, zero, kind, request, {.of = pnn{1}}));  // as by a client of that node
      ask_for_recovery(c, zero);
      REQUIRE(c.settle(20s));
      CHECK(ask_any(c, zero, kind, request));
      const auto path = answer_of<control::getdbpath>(c, zero, db_id_of(own));
      CHECK(path.value.value.find("..") == std::string_view::npos);
    }
}

TEST_CASE("a recovery tells how far it is") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  auto& zero = c.connect(0);
  const db_id db = attach_now(c, zero, "big.tdb");
  for (int i = 0; i < 30; ++i) write_now(c, zero, db, std::to_string(i), "value");
  hold(c, zero, "push_confirm@big.tdb");
  ask_for_recovery(c, zero);
  wait_held(c);
  bool seen = false;
  for (std::size_t n = 0; n < 3; ++n) {
    const auto r = report(c, n)["recovery"];
    if (!r.is_object()) continue;
    for (const auto& d : r["databases"]) {
      if (d["name"] != "big.tdb") continue;
      seen = true;
      CHECK(d["phase"] == "push_confirm");
      CHECK(d["records_pulled"].get<int>() >= 30);
      CHECK(d["records_merged"] == 30);
      CHECK(d["waiting_for"].size() == 3);
      CHECK(d["since_us"].get<std::int64_t>() > 0);
    }
  }
  CHECK(seen);
  hold(c, zero, "");
  REQUIRE(c.settle(60s));
}

TEST_CASE("a record is not given to a node that its lmaster is not connected to") {
  sim_cluster c(3);
  REQUIRE(c.settle());
  const auto leads = c.leader();
  const auto tracks = (leads + 1) % 3, late = (leads + 2) % 3;
  auto& by = c.connect(leads);
  const auto db = attach_now(c, by, "locking.tdb");
  const auto key = key_tracked_by(static_cast<std::uint32_t>(tracks), 3);
  write_now(c, by, db, key, "kept");
  // the late one is back with the leader, which recovers, before it is back with the others
  c.kill(late);
  c.net().cut(c.ip(late), c.ip(tracks));
  c.start(late);
  REQUIRE(c.run([&] { return false; }, 5s) == false);
  REQUIRE(settled(c, {0, 1, 2}));
  auto& wants = c.connect(late);
  std::optional<result<locked_record>> got;
  lock_record(wants, db, key, 60s, [&](const auto& r) { got = r; });
  // it goes by way of the lmaster, which cannot hand it on: it is still there for others
  REQUIRE(c.run([&] { return false; }, 1s) == false);
  CHECK(!got);
  CHECK(read_now(c, c.connect(tracks), db, key).data == "kept");
  c.net().heal(c.ip(late), c.ip(tracks));
  REQUIRE(c.run([&] { return got.has_value(); }, 10s));
  REQUIRE(got->has_value());
  CHECK((*got)->data == "kept");
}
