/// Leadership with a cluster lock, on whole nodes: the lock is lost, hangs, cannot be asked, is
/// held by a stranger, is taken from its holder unseen; leaders die and networks part. Whatever
/// happens nobody is banned, at most the holder leads, and when the lock works again the cluster is
/// NORMAL within a bound.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "protocol/constants.hpp"
#include "protocol/messages.hpp"
#include "tests/actors/sim_cluster.hpp"

using namespace floe;
using namespace floe::test;
using nlohmann::json;

namespace {

constexpr sim_cluster::options with_lock{.cluster_lock = true};

json status(sim_cluster& c, std::size_t n) { return json::parse(c.status(n)); }

std::optional<std::size_t> leader_of(sim_cluster& c, std::size_t asked) {
  const auto l = status(c, asked)["leader"];
  if (!l.is_number_unsigned()) return std::nullopt;
  return l.get<std::size_t>();
}

std::size_t holder(sim_cluster& c) {
  for (std::size_t i = 0; i < c.size(); ++i)
    if (c.locks().holder() == c.ip(i)) return i;
  return c.size();
}

bool said(const sim_cluster& c, const std::string& what) {
  return std::ranges::any_of(
      c.log(), [&](const auto& line) { return line.find(what) != std::string::npos; });
}

void nobody_was_banned(const sim_cluster& c) {
  CHECK_FALSE(said(c, "banned"));
  CHECK_FALSE(said(c, "BANNED"));
}

/// All living nodes know the same leader, and it holds the lock.
bool agreed(sim_cluster& c) {
  const auto h = holder(c);
  if (h == c.size() || !c.alive(h)) return false;
  for (std::size_t i = 0; i < c.size(); ++i)
    if (c.alive(i) && leader_of(c, i) != h) return false;
  return true;
}

template <class Condition>
bool eventually(sim_cluster& c, Condition is, duration limit, duration step = 20ms) {
  for (const auto end = c.loop_now() + limit; c.loop_now() < end; pass(c, step))
    if (is()) return true;
  return false;
}

bool agree(sim_cluster& c) {
  return eventually(
      c, [&] { return agreed(c); }, 20s);
}

/// A record that every node can read afterwards. All have a copy: what only one node has is lost with it.
struct witness {
  explicit witness(sim_cluster& cluster, std::size_t on) : c(cluster), guest(cluster.connect(on)) {
    db = attach_now(c, guest, "witness.tdb");
    write_now(c, guest, db, "key", "value");
    bool asked = false;
    guest.control<control::set_recmode>(pnn::current, recovery_mode::active, 5s,
                                        [&](const auto&) { asked = true; });
    REQUIRE(c.run([&] { return asked; }, 10s));
    REQUIRE(c.settle(20s));
  }
  void check(const std::string& value = "value") {
    for (std::size_t i = 0; i < c.size(); ++i) {
      if (!c.alive(i)) continue;
      auto& reader = c.connect(i);
      attach_now(c, reader, "witness.tdb");
      CHECK(read_now(c, reader, db, "key").data == value);
      c.disconnect(reader);
    }
  }
  sim_cluster& c;
  client& guest;
  db_id db{0};
};

}  // namespace

TEST_CASE("the node that takes the cluster lock leads, and says so") {
  sim_cluster c(3, 1, with_lock);
  REQUIRE(c.settle(20s));
  REQUIRE(agreed(c));
  for (std::size_t i = 0; i < 3; ++i) {
    const auto s = status(c, i);
    CHECK(s["warnings"].empty());
    CHECK(s["cluster_lock"]["setting"] == "/shared/lock");
    CHECK((s["cluster_lock"]["state"] == "held") == (i == holder(c)));
  }
  nobody_was_banned(c);
}

TEST_CASE("no cluster lock: a warning at start and in every status of more than one node") {
  sim_cluster two(2);
  REQUIRE(two.settle(20s));
  CHECK(said(two, "no cluster lock"));
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(status(two, i)["warnings"][0].get<std::string>().starts_with("no cluster lock"));
    CHECK(status(two, i)["cluster_lock"].is_null());
  }
  sim_cluster one(1, 2);
  REQUIRE(one.settle(20s));
  CHECK(status(one, 0)["warnings"].empty());
  CHECK_FALSE(said(one, "no cluster lock"));
}

TEST_CASE("two nodes without a lock are cut apart: both lead; with a lock only one does") {
  {
    sim_cluster c(2);
    REQUIRE(c.settle(20s));
    c.net().cut(c.ip(0), c.ip(1));
    CHECK(eventually(
        c, [&] { return leader_of(c, 0) == 0U && leader_of(c, 1) == 1U; }, 120s));
  }
  sim_cluster c(2, 3, with_lock);
  REQUIRE(c.settle(20s));
  const auto h = holder(c);
  c.net().cut(c.ip(0), c.ip(1));
  for (int i = 0; i < 60; ++i) {
    pass(c, 1s);
    CHECK(leader_of(c, 1 - h) != 1 - h);
    CHECK(leader_of(c, h) == h);
  }
  c.net().heal();
  CHECK(c.settle(30s));
  nobody_was_banned(c);
}

TEST_CASE(
    "a minority cannot lead: the leader is cut off from two others and leaves the lock to them, "
    "also "
    "when it cannot have it any more") {
  sim_cluster c(3, 4, with_lock);
  REQUIRE(c.settle(20s));
  witness w(c, 0);
  const auto h = holder(c);
  for (std::size_t i = 0; i < 3; ++i)
    if (i != h) c.net().cut(c.ip(h), c.ip(i));
  pass(c, 40s);
  REQUIRE(holder(c) != h);
  for (std::size_t i = 0; i < 3; ++i) CHECK((leader_of(c, i) == i) == (i == holder(c)));
  // its access to the lock goes as well: the majority goes on
  c.locks().fail(c.ip(h), true);
  c.locks().lose();
  pass(c, 20s);
  REQUIRE(holder(c) != h);
  for (std::size_t i = 0; i < 3; ++i) CHECK((leader_of(c, i) == i) == (i == holder(c)));
  c.locks().fail(c.ip(h), false);
  c.net().heal();
  REQUIRE(c.settle(60s));
  CHECK(agree(c));
  w.check();
  nobody_was_banned(c);
}

TEST_CASE(
    "the lock is lost: the leader stops at once, also in the middle of a recovery, and somebody "
    "leads again") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    sim_cluster c(3, seed, with_lock);
    REQUIRE(c.settle(20s));
    witness w(c, 0);
    const auto h = holder(c);
    bool asked = false;
    w.guest.control<control::set_recmode>(pnn::current, recovery_mode::active, 5s,
                                          [&](const auto&) { asked = true; });
    pass(c, std::chrono::microseconds(seed * 700));
    c.locks().lose();
    CHECK(eventually(
        c, [&] { return leader_of(c, h) != h; }, 50ms, 1ms));
    REQUIRE(c.settle(30s));
    CHECK(agree(c));
    w.check();
    CHECK(asked);
    nobody_was_banned(c);
  }
}

TEST_CASE(
    "the leader is killed with the lock in its hand: the next one leads as soon as it is free") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    sim_cluster c(3, seed, with_lock);
    REQUIRE(c.settle(20s));
    const auto h = holder(c);
    witness w(c, (h + 1) % 3);
    c.kill(h);
    const auto from = c.loop_now();
    REQUIRE(c.settle(10s));
    CHECK(c.loop_now() - from < 1500ms);
    CHECK(agree(c));
    c.start(h);
    REQUIRE(c.settle(20s));
    w.check();
    nobody_was_banned(c);
  }
}

TEST_CASE("a leader that is stopped gives the lock to the next one within a moment") {
  sim_cluster c(3, 7, with_lock);
  REQUIRE(c.settle(20s));
  const auto h = holder(c);
  auto& guest = c.connect(h);
  guest.control<control::stop_node>(pnn::current, {}, 5s, [](const auto&) {});
  const auto from = c.loop_now();
  CHECK(c.run([&] { return holder(c) != h && holder(c) < 3; }, 5s));
  CHECK(c.loop_now() - from < 500ms);
  CHECK(agree(c));
  nobody_was_banned(c);
}

TEST_CASE("a helper that hangs holds up only its own node") {
  sim_cluster c(3, 8, {.cluster_lock = true, .start = false});
  c.locks().wedge(c.ip(0), true);
  for (std::size_t i = 0; i < 3; ++i) c.start(i);
  REQUIRE(c.settle(20s));
  CHECK(holder(c) != 0);
  // the two others go: nobody leads, nothing crashes, the state says why
  c.kill(1);
  c.kill(2);
  pass(c, 60s);
  CHECK(leader_of(c, 0) == std::nullopt);
  CHECK(status(c, 0)["cluster_lock"]["detail"].get<std::string>().find("no answer") !=
        std::string::npos);
  c.locks().wedge(c.ip(0), false);
  CHECK(eventually(
      c, [&] { return leader_of(c, 0) == 0U; }, 60s));
  nobody_was_banned(c);
}

TEST_CASE(
    "a helper that hangs while it lets go: the others say that they wait, and go on when it is "
    "gone") {
  sim_cluster c(3, 9, with_lock);
  REQUIRE(c.settle(20s));
  const auto h = holder(c);
  c.locks().wedge(c.ip(h), true);
  c.kill(h);
  pass(c, 20s);
  for (std::size_t i = 0; i < 3; ++i) {
    if (i == h) continue;
    CHECK(leader_of(c, i) == std::nullopt);
    CHECK(status(c, i)["cluster_lock"]["state"] == "held by another");
  }
  c.locks().wedge(c.ip(h), false);
  REQUIRE(c.settle(30s));
  nobody_was_banned(c);
}

TEST_CASE("a stranger holds the lock: nobody leads, nobody is banned, and tries become rare") {
  sim_cluster c(3, 10, {.cluster_lock = true, .start = false});
  c.locks().hold_by_stranger(true);
  for (std::size_t i = 0; i < 3; ++i) c.start(i);
  pass(c, 60s);
  const auto before = c.locks().tries();
  pass(c, 60s);
  CHECK(c.locks().tries() - before <= 3 * 2 * 60 / 5);
  for (std::size_t i = 0; i < 3; ++i) CHECK(leader_of(c, i) == std::nullopt);
  c.locks().hold_by_stranger(false);
  REQUIRE(c.settle(30s));
  nobody_was_banned(c);
}

TEST_CASE("nobody can ask for the lock: logged once, not in every try") {
  sim_cluster c(3, 11, {.cluster_lock = true, .start = false});
  for (std::size_t i = 0; i < 3; ++i) c.locks().fail(c.ip(i), true);
  for (std::size_t i = 0; i < 3; ++i) c.start(i);
  pass(c, 60s);
  CHECK(std::ranges::count_if(c.log(), [](const auto& l) {
          return l.find("cluster-lock-failed") != std::string::npos;
        }) == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(status(c, i)["cluster_lock"]["detail"] == "no such lock store");
    c.locks().fail(c.ip(i), false);
  }
  REQUIRE(c.settle(30s));
  nobody_was_banned(c);
}

TEST_CASE(
    "a stale holder: another node has taken the lock; the claims of the first are not believed") {
  sim_cluster c(3, 12, with_lock);
  REQUIRE(c.settle(20s));
  witness w(c, 0);
  const auto old = holder(c);
  // the old leader hangs for the others, its lease ends, one of them leads
  c.locks().expire(c.ip(old));
  pass(c, 100ms);
  REQUIRE(c.settle(30s));
  CHECK(agree(c));
  w.check();
  CHECK(said(c, "hung for longer than the lease"));
  nobody_was_banned(c);
}

TEST_CASE(
    "the leader hangs: its lease ends, another one leads within seconds, and the first one finds "
    "out") {
  sim_cluster c(3, 15, with_lock);
  REQUIRE(c.settle(20s));
  witness w(c, (holder(c) + 1) % 3);
  const auto hung = holder(c);
  const auto from = c.loop_now();
  c.hang(hung);
  pass(c, 3s);
  c.locks().expire(c.ip(hung));
  REQUIRE(eventually(
      c,
      [&] {
        const auto h = holder(c);
        return h < 3 && h != hung && leader_of(c, (hung + 1) % 3) == h &&
               leader_of(c, (hung + 2) % 3) == h;
      },
      10s));
  CHECK(c.loop_now() - from < 6s);
  c.net().heal();
  REQUIRE(c.settle(30s));
  CHECK(agree(c));
  CHECK(leader_of(c, hung) != hung);
  w.check();
  nobody_was_banned(c);
}

TEST_CASE("while nobody leads, who asks for the leader's broadcasts is told at once who led last") {
  sim_cluster c(3, 16, with_lock);
  REQUIRE(c.settle(20s));
  const auto hung = holder(c);
  c.hang(hung);
  // the first of the two to miss its leader may be the next one before the other one has missed him
  auto other = hung;
  REQUIRE(eventually(
      c,
      [&] {
        for (const auto n : {(hung + 1) % 3, (hung + 2) % 3})
          if (status(c, n)["leader"].is_null()) other = n;
        return other != hung;
      },
      10s));
  std::optional<std::uint32_t> told;
  c.connect(other).listen(
      message::leader,
      [&](const client_message& m) { told = wire::decode<std::uint32_t>(m.data).value_or(99); }, 1s,
      [](const result<void>&) {});
  REQUIRE(c.run([&] { return told.has_value(); }, 50ms));
  CHECK(*told == hung);
  CHECK(status(c, other)["leader"].is_null());
}

TEST_CASE("a node that can take the lock itself does not let a recovery end: the leader has none") {
  sim_cluster c(3, 13, with_lock);
  REQUIRE(c.settle(20s));
  c.locks().make_stale();
  auto& guest = c.connect(0);
  guest.control<control::set_recmode>(pnn::current, recovery_mode::active, 5s, [](const auto&) {});
  CHECK(c.run([&] { return said(c, "cluster-lock-not-held"); }, 20s));
  nobody_was_banned(c);
}

TEST_CASE(
    "the lock service has forgotten who holds the lock: the leader lets go, and somebody takes "
    "it") {
  sim_cluster c(3, 17, with_lock);
  REQUIRE(c.settle(20s));
  c.locks().hold_by_stranger(true);
  c.locks().hold_by_stranger(false);
  auto& guest = c.connect(0);
  guest.control<control::set_recmode>(pnn::current, recovery_mode::active, 5s, [](const auto&) {});
  REQUIRE(c.run([&] { return said(c, "cluster-lock-not-held"); }, 20s));
  REQUIRE(c.settle(5s));
  CHECK(holder(c) < 3);
  CHECK(leader_of(c, 0) == holder(c));
  nobody_was_banned(c);
}

TEST_CASE("a node with another cluster lock than the leader's takes itself down and says why") {
  sim_cluster c(3, 14, {.cluster_lock = true, .start = false});
  c.start(0);
  c.start(1);
  pass(c, 10s);
  c.config(2).cluster_lock = "/other/lock";
  c.start(2);
  CHECK(c.run([&] { return said(c, "cluster-lock-differs"); }, 30s));
  CHECK(eventually(
      c, [&] { return !(leader_of(c, 0) == std::nullopt); }, 10s));
  CHECK(said(c, "node-stopping why=\"the cluster lock of node"));
}

TEST_CASE(
    "chaos with a lock: nodes die, the lock is lost, hangs and fails; in the end all is NORMAL") {
  for (std::uint64_t seed = 1; seed <= (thorough ? 25 : 3); ++seed) {
    CAPTURE(seed);
    sim_cluster c(3, seed, with_lock);
    REQUIRE(c.settle(20s));
    std::mt19937_64 chance(seed * 31);
    for (int blow = 0; blow < 15; ++blow) {
      const auto n = chance() % 3;
      switch (chance() % 7) {
        case 0: c.alive(n) ? c.kill(n) : c.start(n); break;
        case 1: c.locks().lose(); break;
        case 2: c.locks().wedge(c.ip(n), chance() % 2); break;
        case 3: c.locks().fail(c.ip(n), chance() % 2); break;
        case 4: c.net().cut(c.ip(n), c.ip((n + 1) % 3)); break;
        case 5: c.net().heal(); break;
        default: c.locks().expire(c.ip(n)); break;
      }
      pass(c, std::chrono::milliseconds(chance() % 3000));
    }
    c.net().heal();
    for (std::size_t i = 0; i < 3; ++i) {
      c.locks().wedge(c.ip(i), false);
      c.locks().fail(c.ip(i), false);
      if (!c.alive(i)) c.start(i);
    }
    REQUIRE(c.settle(60s));
    CHECK(agree(c));
    nobody_was_banned(c);
  }
}
