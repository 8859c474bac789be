/// Messages, tunnels, controls, many nodes, processes and recoveries of floe/async.hpp. Played by tests/interop/test_async.py.
#include <unistd.h>

#include <map>

#include "tests/client/async_scene.hpp"

using namespace async_test;

namespace {
constexpr std::uint64_t address = 0x6173796e63000001;
}

TEST_CASE("messages reach whoever listens, one node, many, or all") {
  program a(0), b(1), c(2);
  std::map<int, std::string> heard;
  int n = 0;
  for (auto* p : {&a, &b, &c}) {
    const int mine = n++;
    CHECK(p->get<void>([&](auto done) {
      p->c.listen(
          address,
          [&heard, mine](const fa::message& m) {
            CHECK(m.from == 0);
            CHECK(m.srvid == address);
            heard[mine] += m.data;
          },
          10s, done);
    }));
  }
  a.c.send(1, address, "one ");
  a.c.send_many({1, 2}, address, "many ");
  a.c.send(fa::connected_nodes, address, "all ");
  const auto all = [&] {
    b.c.run_for(10ms);
    c.c.run_for(10ms);
    return heard[0] == "all " && heard[1] == "one many all " && heard[2] == "many all ";
  };
  CHECK(a.c.run_until(all, 20s));
  a.c.unlisten(address);
  a.c.send(fa::here, address, "nobody hears this");
  a.get<std::uint32_t>([&](auto done) { a.c.ask(fa::here, fa::questions::ping(), 10s, done); });
  CHECK(heard[0] == "all ");
}

TEST_CASE("a message that was sent before the client went is not lost") {
  program b(1);
  int heard = 0;
  CHECK(b.get<void>([&](auto done) {
    b.c.listen(
        address, [&](const fa::message&) { ++heard; }, 10s, done);
  }));
  { program(0).c.send(1, address, "x"); }
  CHECK(b.c.run_until([&] { return heard == 1; }, 20s));
}

TEST_CASE("tunnels lead both ways, and belong to one client of a node") {
  program a(0), b(1), other(0);
  std::string there, back;
  CHECK(a.get<void>([&](auto done) {
    a.c.open_tunnel(
        77, [&](const fa::tunnel_packet& p) { back = p.data; }, 10s, done);
  }));
  CHECK(b.get<void>([&](auto done) {
    b.c.open_tunnel(
        77,
        [&](const fa::tunnel_packet& p) {
          there = p.data;
          CHECK(p.flags == fa::tunnel_request);
          b.c.send_tunnel(0, 77, fa::tunnel_reply, "back");
        },
        10s, done);
  }));
  const auto refused = other.get<void>([&](auto done) {
    other.c.open_tunnel(
        77, [](const fa::tunnel_packet&) {}, 10s, done);
  });
  CHECK(refused.why().code == fa::errc::refused);
  a.c.send_tunnel(1, 77, fa::tunnel_request, "there");
  CHECK(a.c.run_until(
      [&] {
        b.c.run_for(10ms);
        return back == "back";
      },
      20s));
  CHECK(there == "there");
  CHECK_THROWS_AS(a.c.send_tunnel(fa::here, 77, 0, "x"), std::invalid_argument);
}

TEST_CASE("common controls with types") {
  program a(1);
  const auto ask = [&](auto question) {
    using T = std::remove_cv_t<std::remove_reference_t<decltype(*question.read(0, {}))>>;
    auto r = a.get<T>([&](auto done) { a.c.ask(2, question, 10s, done); });
    REQUIRE_MESSAGE(r, r.why().describe());
    return *r;
  };
  CHECK(a.c.pnn() == 1);
  CHECK(ask(fa::questions::node_number()) == 2);
  CHECK(ask(fa::questions::process_id()) > 0);
  CHECK(ask(fa::questions::recovery_mode()) == fa::mode::normal);
  CHECK(ask(fa::questions::run_state()) == 5);
  CHECK(ask(fa::questions::map()).slots.size() == 3);
  CHECK(ask(fa::questions::map()).generation != 1);
  const auto nodes = ask(fa::questions::nodes());
  REQUIRE(nodes.size() == 3);
  CHECK(nodes[1].pnn == 1);
  CHECK(nodes[1].flags == 0);
  CHECK(nodes[1].address.find("127.") == 0);
  const auto db = a.attach("asked.tdb");
  CHECK(ask(fa::questions::database_name(db)) == "asked.tdb");
  bool listed = false;
  for (const auto& d : ask(fa::questions::databases())) listed |= d.id == db && d.flags == 0;
  CHECK(listed);
  const auto before = ask(fa::questions::tunable("TraverseTimeout"));
  CHECK_FALSE(ask(fa::questions::set_tunable("TraverseTimeout", before + 1)));
  CHECK(ask(fa::questions::tunable("TraverseTimeout")) == before + 1);
  ask(fa::questions::set_tunable("TraverseTimeout", before));
  CHECK(ask(fa::questions::statistics()).node_packets_sent > 0);
  CHECK(a.get<std::uint32_t>(
             [&](auto done) { a.c.ask(2, fa::questions::tunable("NoSuchTunable"), 10s, done); })
            .why()
            .code == fa::errc::refused);
}

TEST_CASE("any control by its number, and its answer for people") {
  program a;
  constexpr std::uint32_t getvnnmap = 5, get_pnn = 35;
  const auto r = a.get<fa::reply>([&](auto done) { a.c.control(2, getvnnmap, "", 10s, done); });
  REQUIRE(r);
  CHECK(r->data.size() == 20);
  CHECK(fa::described(getvnnmap, *r).find("\"generation\"") != std::string::npos);
  CHECK(fa::described(99999, *r).find("\"octets\"") != std::string::npos);
  CHECK_THROWS_AS(a.c.control(fa::all_nodes, get_pnn, "", 1s, nullptr), std::invalid_argument);
  const auto lost = a.get<fa::reply>([&](auto done) { a.c.control(7, get_pnn, "", 10s, done); });
  CHECK(lost.why().code == fa::errc::refused);
  CHECK(lost.why().describe().find("node 7") != std::string::npos);
}

TEST_CASE("many nodes are asked at once, with a result for each") {
  program a;
  std::vector<fa::node_result<std::uint32_t>> all;
  a.c.ask_many({2, 7, 0, 2}, fa::questions::node_number(), 10s,
               [&](std::vector<fa::node_result<std::uint32_t>> r) { all = std::move(r); });
  CHECK(all.empty());
  REQUIRE(a.c.run_until([&] { return !all.empty(); }, 20s));
  REQUIRE(all.size() == 4);
  CHECK((all[0].node == 2 && *all[0].answer == 2));
  CHECK((all[1].node == 7 && all[1].answer.why().code == fa::errc::refused));
  CHECK(*all[2].answer == 0);
  CHECK(*all[3].answer == 2);
  bool empty_answered = false;
  a.c.control_many({}, 35, "", 1s, [&](auto r) { empty_answered = r.empty(); });
  CHECK(a.c.run_until([&] { return empty_answered; }, 5s));
  const auto nodes = a.get<std::vector<std::uint32_t>>(
      [&](auto done) { a.c.nodes(fa::which_nodes::active, 10s, done); });
  CHECK(*nodes == std::vector<std::uint32_t>{0, 1, 2});
}

TEST_CASE("processes are found, by number and by name") {
  program a(0);
  auto b = std::make_unique<program>(1);
  const auto exists = [&](std::int32_t pid) {
    return *a.get<bool>([&](auto done) { a.c.process_exists(1, pid, 10s, done); });
  };
  CHECK(exists(getpid()));
  CHECK_FALSE(exists(1));
  CHECK_FALSE(
      *a.get<bool>([&](auto done) { a.c.process_listens(1, getpid(), address, 10s, done); }));
  const auto name = b->get<fa::server_id>([&](auto done) { b->c.name_myself(10s, done); });
  REQUIRE(name);
  CHECK(name->node == 1);
  const auto lives = [&] {
    return *a.get<bool>([&](auto done) { a.c.server_exists(*name, 10s, done); });
  };
  CHECK(lives());
  b = nullptr;
  // node 1 learns of it when it looks at its sockets next, not before the next question
  const auto limit = std::chrono::steady_clock::now() + 20s;
  while (lives() && std::chrono::steady_clock::now() < limit) a.c.run_for(10ms);
  CHECK_FALSE(lives());
}

TEST_CASE("a database is detached when nobody may attach any more") {
  program a;
  const auto db = a.attach("async-gone.tdb");
  const auto detach = [&] { return a.get<void>([&](auto done) { a.c.detach(db, 30s, done); }); };
  CHECK(detach().why().code == fa::errc::refused);
  const auto allow = [&](std::uint32_t value) {
    bool over = false;
    a.c.ask_many({0, 1, 2}, fa::questions::set_tunable("AllowClientDBAttach", value), 10s,
                 [&](auto) { over = true; });
    REQUIRE(a.c.run_until([&] { return over; }, 20s));
  };
  allow(0);
  const auto gone = detach();
  allow(1);
  CHECK_MESSAGE(gone, gone.why().describe());
  const auto found =
      a.get<std::uint32_t>([&](auto done) { a.c.find("async-gone.tdb", 10s, done); });
  CHECK(found.why().code == fa::errc::no_database);
}

TEST_CASE("a program is told why it waits") {
  program a(0), holder(1);
  const auto db = a.attach("async-watched.tdb");
  holder.attach("async-watched.tdb");
  holder.write(db, "k", "v");
  std::vector<fa::recovery_change> told;
  CHECK(a.get<void>([&](auto done) {
    a.c.watch_recoveries([&](const fa::recovery_change& r) { told.push_back(r); }, 10s, done);
  }));
  REQUIRE(a.c.run_until([&] { return !told.empty(); }, 10s));
  CHECK(told[0].db == 0);  // what is so then; a recovery of the case before may not be over
  REQUIRE(a.c.run_until([&] { return !a.c.recovering(); }, 30s));
  told.clear();
  auto lock = a.lock(db, "k");
  REQUIRE(lock);
  // as an operator's tool asks for one
  constexpr std::uint32_t set_recmode = 16;
  const std::uint32_t active = 1;
  const std::string request(reinterpret_cast<const char*>(&active), sizeof active);
  a.c.control(fa::here, set_recmode, request, 30s, nullptr);
  const auto freezes = [&] { return a.c.phase(db) == fa::phase::freezing; };
  CHECK(a.c.run_until(freezes, 20s));
  CHECK(a.c.recovering());
  CHECK(a.get<void>([&](auto done) { lock->unlock(10s, done); }));
  CHECK(
      a.c.run_until([&] { return !a.c.recovering() && a.c.phase(db) == fa::phase::serving; }, 30s));
  std::vector<fa::phase> phases;
  for (const auto& r : told)
    if (r.db == db) phases.push_back(r.phase);
  REQUIRE(phases.size() >= 4);
  CHECK(phases[0] == fa::phase::freezing);
  CHECK(phases[1] == fa::phase::frozen);
  CHECK(phases.back() == fa::phase::serving);
  const auto generation =
      a.get<std::uint32_t>([&](auto done) { a.c.wait_recovered(fa::here, 30s, done); });
  CHECK(*generation > 1);
  a.c.unwatch_recoveries();
  CHECK(a.c.phase(db) == fa::phase::serving);
}
