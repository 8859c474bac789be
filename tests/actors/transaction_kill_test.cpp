/// Whatever happens at any moment of a commit: afterwards all nodes have all of it or nothing, the
/// same sequence number, and a client that still lives was told which it is.
#include "tests/actors/transaction_support.hpp"

#include <nlohmann/json.hpp>

using namespace floe;
using namespace floe::test;

namespace {

std::vector<std::string> names(int n) {
  std::vector<std::string> all;
  for (int i = 0; i < n; ++i) all.push_back("key" + std::to_string(i));
  return all;
}
contents with(const std::vector<std::string>& keys, const std::string& value) {
  contents all;
  for (const auto& k : keys) all[k] = value;
  return all;
}

std::size_t leader_of(sim_cluster& s) {
  return nlohmann::json::parse(s.status(0))["leader"].get<std::size_t>();
}

enum class blow {
  client_node,
  follower,
  leader,
  recovery,
  client,
  client_node_stopped,
  follower_stopped
};

struct outcome {
  bool ended = false;   ///< before the blow
  bool stored = false;  ///< by the cut commit
};

/// A commit begins, and `after` it the blow falls.
outcome play(blow b, db_kind kind, duration after, std::uint64_t seed) {
  CAPTURE(static_cast<int>(b));
  CAPTURE(after.count());
  CAPTURE(seed);
  sim_cluster s(3, seed);
  REQUIRE(s.settle(30s));
  const auto leader = leader_of(s);
  const auto home = (leader + 1) % 3, third = (leader + 2) % 3;
  auto* c = &s.connect(home);
  const db_id db = attach_kind(s, *c, "kill.tdb", kind);
  const auto keys = names(5);
  commit_now(s, *c, db, with(keys, "old"));

  auto t = begin(s, *c, db);
  for (const auto& k : keys) set(s, t, k, "new");
  auto end = std::make_shared<std::optional<result<commit_result>>>();
  t->commit(60s, [end](const result<commit_result>& r) { *end = r; });
  const auto until = s.loop_now() + after;
  s.run([&] { return s.loop_now() >= until; }, after);
  outcome o{.ended = end->has_value()};

  std::optional<std::size_t> dead;
  switch (b) {
    case blow::client_node: dead = home; break;
    case blow::follower: dead = third; break;
    case blow::leader: dead = leader; break;
    case blow::recovery: {
      auto& other = s.connect(third);
      other.control<control::set_recmode>(pnn::current, recovery_mode::active, 5s,
                                          [](const auto&) {});
      break;
    }
    case blow::client: c->close(); break;
    case blow::client_node_stopped:
    case blow::follower_stopped: {
      const pnn out{static_cast<std::uint32_t>(b == blow::follower_stopped ? third : home)};
      auto& other = s.connect(leader);
      const auto tell = [&](control what) {
        other.send_control(out, what, {}, 5s, [](const result<client_reply>&) {});
        const auto later = s.loop_now() + 1s;
        s.run([&] { return s.loop_now() >= later; }, 1s);
      };
      tell(control::stop_node);
      tell(control::continue_node);
      break;
    }
  }
  if (dead) s.kill(*dead);
  const bool client_lives = b != blow::client_node && b != blow::client;
  if (client_lives) {
    REQUIRE(s.run([&] { return end->has_value(); }, 60s));
    // nothing stands in the way of sending it again
    CHECK((*end)->has_value());
  }
  REQUIRE(s.settle(60s));
  if (dead) {
    s.start(*dead);
    REQUIRE(s.settle(60s));
  }
  auto& reader = s.connect((home + 1) % 3);
  attach_kind(s, reader, "kill.tdb", kind);
  const auto first = here(s, 0, db, keys);
  CHECK((first == with(keys, "old") || first == with(keys, "new")));
  const bool done = first == with(keys, "new");
  for (std::size_t n = 0; n < 3; ++n) {
    CHECK(here(s, n, db, keys) == first);
    CHECK(seqnum(s, n, db) == (done ? 2U : 1U));
  }
  if (*end && (*end)->has_value()) CHECK(done);
  o.stored = done;
  // the next one goes through, whatever became of the lock
  t.reset();
  commit_now(s, reader, db, with(keys, "later"));
  for (std::size_t n = 0; n < 3; ++n) CHECK(here(s, n, db, keys) == with(keys, "later"));
  return o;
}

/// From before the first packet to after the last answer.
void play_all(blow b) {
  int without = 0, with = 0;  // cut commits that left nothing, that are stored
  for (const auto kind : {db_kind::persistent, db_kind::replicated}) {
    bool early = false, late = false;
    const auto step = kind == db_kind::persistent && thorough ? 200us : 500us;
    for (duration after = 0us; !late && after < 20ms; after += step) {
      const auto o = play(b, kind, after, 1);
      early |= !o.ended;
      late = o.ended;
      if (!o.ended) ++(o.stored ? with : without);
    }
    CHECK(early);
    CHECK(late);
  }
  MESSAGE("cut commits: " << with << " stored, " << without << " not");
  CHECK(with > 0);
  if (b == blow::client_node || b == blow::client) CHECK(without > 0);
}

}  // namespace

TEST_CASE("the node of the committing client is killed at any moment") {
  play_all(blow::client_node);
}
TEST_CASE("another node is killed at any moment of a commit") { play_all(blow::follower); }
TEST_CASE("the leader is killed at any moment of a commit") { play_all(blow::leader); }
TEST_CASE(
    "a recovery cuts a commit at any moment: it ends all or nothing and the client learns which") {
  play_all(blow::recovery);
}
TEST_CASE("the node of the committing client is stopped at any moment, and goes on later") {
  play_all(blow::client_node_stopped);
}
TEST_CASE("another node is stopped at any moment of a commit") { play_all(blow::follower_stopped); }
TEST_CASE("the committing client goes away at any moment") { play_all(blow::client); }
