/// What the client library offers beside records, between clients of several nodes: questions and messages to many,
/// tunnels, names of processes, local copies, and news of recoveries.
#include <doctest/doctest.h>

#include <algorithm>

#include "actors/client/detach.hpp"
#include "actors/client/many_nodes.hpp"
#include "actors/client/processes.hpp"
#include "actors/client/recovery_watch.hpp"
#include "actors/client/traverse.hpp"
#include "protocol/constants.hpp"
#include "tests/actors/ask.hpp"

using namespace floe;
using namespace floe::test;

namespace {

bool opens(sim_cluster& c, client& who, std::uint64_t id, std::string& heard) {
  return finish<void>(c,
                      [&](auto done) {
                        who.open_tunnel(
                            id, [&heard](const client_tunnel_packet& t) { heard += t.data; }, 5s,
                            done);
                      })
      .has_value();
}

void open_now(sim_cluster& c, client& who, std::uint64_t id, std::string& heard) {
  REQUIRE(opens(c, who, id, heard));
}

result<bool> there(sim_cluster& c, client& who, const server_id& id) {
  return finish<bool>(c, [&](auto done) { server_exists(who, id, 5s, done); });
}

bool is_gone(sim_cluster& c, client& who, const server_id& id) {
  const auto r = there(c, who, id);
  return r && !*r;
}

/// For questions that run the cluster themselves.
bool eventually(sim_cluster& c, const std::function<bool()>& is) {
  for (int tries = 0; tries < 300; ++tries) {
    if (is()) return true;
    pass(c, 100ms);
  }
  return false;
}

/// What was heard of one database and of the node, in order; what is said again (at another generation) once.
struct story {
  std::string of_db, of_node;
  static void add(std::string& to, std::string_view what) {
    if (!to.ends_with(what)) to.append(to.empty() ? "" : " ").append(what);
  }
  recovery_watch::observer observer(db_id db) {
    return [this, db](const recovery_change& r) {
      if (r.db == db) add(of_db, name(r.phase));
      if (r.db == db_id{0}) add(of_node, r.active ? "active" : "normal");
    };
  }
};

}  // namespace

TEST_CASE("a question to all nodes and a message to many of them") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  auto& a = c.connect(0);
  std::vector<int> heard(3);
  for (std::size_t n = 0; n < 3; ++n)
    REQUIRE(finish<void>(c, [&](auto done) {
      c.connect(n).listen(
          srvid{77}, [&heard, n](const client_message&) { ++heard[n]; }, 5s, done);
    }));
  const auto nodes =
      finish<std::vector<pnn>>(c, [&](auto done) { nodes_of(a, which_nodes::active, 5s, done); });
  REQUIRE(nodes);
  CHECK(*nodes == std::vector{pnn{0}, pnn{1}, pnn{2}});
  std::vector<node_reply> all;
  control_many(a, *nodes, control::get_pnn, {}, 5s, [&](auto r) { all = std::move(r); });
  REQUIRE(c.run([&] { return !all.empty(); }));
  for (std::size_t n = 0; n < 3; ++n) CHECK(all[n].reply->status == static_cast<int>(n));
  const std::vector some{pnn{0}, pnn{2}};
  send_message_many(a, some, srvid{77}, "x");
  REQUIRE(c.run([&] { return heard == std::vector{1, 0, 1}; }));

  c.kill(2);
  REQUIRE(eventually(c, [&] {
    const auto now =
        finish<std::vector<pnn>>(c, [&](auto done) { nodes_of(a, which_nodes::active, 5s, done); });
    return now && *now == std::vector{pnn{0}, pnn{1}};
  }));
}

TEST_CASE(
    "a tunnel carries packets between those who have opened it, and belongs to one client of a "
    "node") {
  sim_cluster c(2);
  REQUIRE(c.settle(20s));
  auto& a = c.connect(0);
  auto& second = c.connect(0);
  auto& b = c.connect(1);
  std::string at_a, at_b, nothing_heard;
  open_now(c, a, 9, at_a);
  open_now(c, b, 9, at_b);
  const auto taken = finish<void>(c, [&](auto done) {
    second.open_tunnel(
        9, [&](const client_tunnel_packet&) { nothing_heard = "x"; }, 5s, done);
  });
  CHECK(taken.error().code == client_errc::refused);
  a.send_tunnel(pnn{1}, 9, tunnel_flag::request, "there");
  REQUIRE(c.run([&] { return at_b == "there"; }));
  b.send_tunnel(pnn{0}, 9, tunnel_flag::reply, "back");
  REQUIRE(c.run([&] { return at_a == "back"; }));
  a.close_tunnel(9);  // which nobody answers
  REQUIRE(eventually(c, [&] { return opens(c, second, 9, nothing_heard); }));
  b.send_tunnel(pnn{0}, 9, 0, "moved");
  REQUIRE(c.run([&] { return nothing_heard == "moved"; }));
  CHECK(at_a == "back");
}

TEST_CASE(
    "a name is there as long as its client, and gone with its node once the map is without it") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  auto& asks = c.connect(0);
  auto& named = c.connect(2);
  const auto name = finish<server_id>(c, [&](auto done) { name_myself(named, 5s, done); }).value();
  auto& other = c.connect(2);
  const auto short_lived =
      finish<server_id>(c, [&](auto done) { name_myself(other, 5s, done); }).value();
  CHECK(there(c, asks, name).value());
  CHECK(there(c, asks, short_lived).value());
  c.disconnect(other);
  REQUIRE(eventually(c, [&] { return is_gone(c, asks, short_lived); }));
  CHECK(there(c, asks, name).value());
  c.kill(2);
  // until the map is without the node nobody can tell, or it is still asked
  REQUIRE(eventually(c, [&] { return is_gone(c, asks, name); }));
}

TEST_CASE("the copies of one node are shown as they are, page by page") {
  sim_cluster c(2);
  REQUIRE(c.settle(20s));
  auto& a = c.connect(0);
  const db_id db = attach_now(c, a, "here.tdb");
  const std::string large(300'000, 'x');  // several pages
  for (int i = 0; i < 10; ++i) write_now(c, a, db, "key " + std::to_string(i), large);
  std::vector<std::string> keys;
  const auto end = finish<traverse_result>(c, [&](auto done) {
    traverse_here(
        a, db, 5s, [&](const record_view& r) { keys.emplace_back(r.key); }, done);
  });
  REQUIRE(end);
  CHECK(end->records == 10);
  std::ranges::sort(keys);
  CHECK(std::ranges::unique(keys).empty());
  const auto unknown = finish<traverse_result>(c, [&](auto done) {
    traverse_here(
        a, db_id{0x1234}, 5s, [](const record_view&) {}, done);
  });
  CHECK(unknown.error().code == client_errc::refused);
}

TEST_CASE("a client hears how far the recovery of a database is on its node, and why it waits") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  auto& a = c.connect(0);
  const db_id db = attach_now(c, a, "locking.tdb");
  write_now(c, a, db, "k", "v");
  const auto lock = lock_now(c, a, db, "k");
  story heard;
  recovery_watch watch(a, heard.observer(db));
  REQUIRE(finish<void>(c, [&](auto done) { watch.begin(5s, done); }));
  CHECK(watch.phase(db) == database_phase::serving);
  CHECK_FALSE(watch.active());
  c.kill(2);
  // our own lock keeps it from freezing
  REQUIRE(c.run([&] { return watch.phase(db) == database_phase::freezing; }));
  CHECK(watch.active());

  // who begins in the middle is told what is so
  auto& late = c.connect(0);
  recovery_watch second(late);
  REQUIRE(finish<void>(c, [&](auto done) { second.begin(5s, done); }));
  REQUIRE(c.run([&] { return second.phase(db) == database_phase::freezing; }));
  CHECK(second.active());

  store_now(c, a, lock.lock_id, "w");
  REQUIRE(c.settle(20s));
  REQUIRE(c.run([&] { return watch.waiting().empty() && !watch.active(); }));
  CHECK(second.waiting().empty());
  CHECK(heard.of_db == "freezing frozen exchanging frozen serving");
  CHECK(heard.of_node == "active normal");
}

TEST_CASE("a node that was stopped says that its databases are frozen, until it takes part again") {
  sim_cluster c(3);
  REQUIRE(c.settle(20s));
  auto& a = c.connect(0);
  const db_id db = attach_now(c, a, "locking.tdb");
  recovery_watch watch(a);
  REQUIRE(finish<void>(c, [&](auto done) { watch.begin(5s, done); }));
  finish<client_answer<nothing>>(
      c, [&](auto done) { a.control<control::stop_node>(pnn{0}, {}, 5s, done); });
  REQUIRE(c.run([&] { return watch.phase(db) == database_phase::frozen; }));
  finish<client_answer<nothing>>(
      c, [&](auto done) { a.control<control::continue_node>(pnn{0}, {}, 5s, done); });
  REQUIRE(c.run([&] { return watch.waiting().empty() && !watch.active(); }));
}
