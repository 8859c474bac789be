/// The promises of floe/async.hpp about callbacks, limits, loops, threads, forks and lost nodes. Played by
/// tests/interop/test_async.py; the case of a lost node asks it to kill and to start a node.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <thread>

#include "tests/client/async_scene.hpp"

using namespace async_test;

namespace {

constexpr std::uint64_t address = 0x6173796e63000002;

/// Tells the test that plays this, and waits until it has done so.
void please(const char* what) {
  std::cout << "please: " << what << std::endl;
  std::string done;
  REQUIRE(std::getline(std::cin, done));
}

bool readable(int fd, int ms) {
  pollfd p{fd, POLLIN, 0};
  return poll(&p, 1, ms) == 1;
}

}  // namespace

TEST_CASE("an unconnected client says so, later") {
  program p{program::unconnected{}};
  CHECK_FALSE(p.c.connected());
  CHECK(p.read(1, "k").why().code == fa::errc::not_connected);
  fa::options nowhere;
  nowhere.where = "/nowhere";
  fa::events e;
  e.disconnected = [&](const fa::error& why) { p.downs.push_back(why); };
  p.c.connect(nowhere, e);
  CHECK(p.downs.empty());
  CHECK(p.c.run_until([&] { return !p.downs.empty(); }, 10s));
  CHECK(p.downs[0].code == fa::errc::not_connected);
}

TEST_CASE("a loop of the program's own is told when there is something to do") {
  program p;
  while (p.c.process() > 0) {
  }
  CHECK_FALSE(readable(p.c.descriptor(), 0));
  bool answered = false;
  p.c.ask(fa::here, fa::questions::ping(), 10s,
          [&](fa::result<std::uint32_t>) { answered = true; });
  CHECK(readable(p.c.descriptor(), 0));  // the question is to be sent
  for (int turns = 0; !answered && turns < 100; ++turns) {
    REQUIRE(readable(p.c.descriptor(), 10'000));
    p.c.process();
  }
  CHECK(answered);
  // a timer, too
  bool rung = false;
  p.c.later(30ms, [&] { rung = true; });
  p.c.process();
  CHECK_FALSE(rung);
  REQUIRE(readable(p.c.descriptor(), 10'000));
  while (!rung && readable(p.c.descriptor(), 10'000)) p.c.process();
  CHECK(rung);
}

TEST_CASE("a limit ends a request, also when the node is silent") {
  program a, holder;
  const auto db = a.attach("limits.tdb");
  holder.attach("limits.tdb");
  auto held = holder.lock(db, "k");
  REQUIRE(held);
  const auto began = std::chrono::steady_clock::now();
  CHECK(a.lock(db, "k", 200ms).why().code == fa::errc::timed_out);
  const auto took = std::chrono::steady_clock::now() - began;
  CHECK(took >= 200ms);
  CHECK(took < 4s);
  please("stop node 0");
  CHECK(
      a.get<fa::record>([&](auto done) { a.c.read(db, "other", fa::read_from::copy, 300ms, done); })
          .why()
          .code == fa::errc::timed_out);
  please("continue node 0");
}

TEST_CASE("no callback after the client is gone") {
  int late = 0;
  auto p = std::make_unique<program>();
  const auto db = p->attach("gone.tdb");
  auto lock = p->lock(db, "k");
  REQUIRE(lock);
  for (int i = 0; i < 20; ++i)
    p->c.read(db, "k", fa::read_from::owner, 5s, [&](fa::result<fa::record>) { ++late; });
  p->c.later(0ms, [&] { ++late; });
  p->c.post([&] { ++late; });
  p = nullptr;
  CHECK(late == 0);
  // what it held is void, and in nobody's way
  CHECK_FALSE(lock->held());
  lock->store("x", 1s, [&](fa::result<void>) { ++late; });
  program other;
  other.attach("gone.tdb");
  CHECK(other.lock(db, "k", 10s));
  CHECK(late == 0);
}

TEST_CASE("a callback may destroy its client") {
  auto p = std::make_unique<program>();
  int after = 0;
  bool last = false;
  for (int i = 0; i < 10; ++i)
    p->c.ask(fa::here, fa::questions::ping(), 10s, [&](fa::result<std::uint32_t>) {
      if (last) ++after;
      last = true;
      p = nullptr;
    });
  auto& c = p->c;
  c.run_until([&] { return last; }, 10s);
  CHECK(last);
  CHECK(after == 0);
}

TEST_CASE("what a callback throws comes out of the loop, and the client goes on") {
  program p;
  p.c.post([] { throw std::runtime_error("enough"); });
  CHECK_THROWS_WITH(p.c.run_for(5s), "enough");
  int told = 0;
  for (int i = 0; i < 3; ++i)
    p.c.ask(fa::here, fa::questions::ping(), 10s, [&](fa::result<std::uint32_t>) { ++told; });
  CHECK(p.c.run_until([&] { return told == 3; }, 10s));
  p.c.post([&] {
    CHECK_THROWS_AS(p.c.process(), std::logic_error);
    ++told;
  });
  CHECK(p.c.run_until([&] { return told == 4; }, 10s));
}

TEST_CASE("what is under way when it is closed ends, later, and it can be connected again") {
  program p;
  const auto db = p.attach("closed.tdb");
  std::vector<fa::errc> ends;
  for (int i = 0; i < 3; ++i)
    p.c.read(db, "k", fa::read_from::owner, 5s,
             [&](fa::result<fa::record> r) { ends.push_back(r.why().code); });
  p.c.close();
  CHECK(ends.empty());
  CHECK_FALSE(p.c.connected());
  CHECK(p.c.run_until([&] { return ends.size() == 3; }, 5s));
  CHECK(ends == std::vector<fa::errc>(3, fa::errc::disconnected));
  CHECK(p.downs.empty());
  p.connect(0);
  CHECK(p.c.run_until([&] { return p.ups == 2; }, 10s));
  CHECK(p.read(db, "k"));
}

TEST_CASE("any thread may post and stop; each thread may have its client") {
  program p;
  int told = 0;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) p.c.post([&] { ++told; });
    p.c.post([&] { p.c.stop(); });
  });
  CHECK_FALSE(p.c.run_for(20s));
  other.join();
  CHECK(told == 1000);
  std::vector<std::thread> threads;
  std::vector<int> good(4);
  for (std::size_t n = 0; n < good.size(); ++n)
    threads.emplace_back([&good, n] {
      fa::client c;
      fa::options o;
      o.where = nodes_of_test().at(n % 3);
      fa::events e;
      e.connected = [&](std::uint32_t) {
        for (int i = 0; i < 50; ++i)
          c.name_myself(10s, [&](fa::result<fa::server_id> r) { good[n] += r ? 1 : 0; });
      };
      c.connect(o, e);
      c.run_until([&] { return good[n] == 50; }, 20s);
    });
  for (auto& t : threads) t.join();
  CHECK(good == std::vector<int>(4, 50));
}

TEST_CASE("a child has nothing of its parent's, and does not keep its locks alive") {
  auto parent = std::make_unique<program>();
  const auto db = parent->attach("forked.tdb");
  auto lock = parent->lock(db, "k");
  REQUIRE(lock);
  int live[2], looked[2];
  REQUIRE(pipe(live) == 0);
  REQUIRE(pipe(looked) == 0);
  const pid_t child = fork();
  if (child == 0) {
    close(live[1]);
    bool good = !parent->c.connected() && !lock->held();
    try {
      parent->c.process();
      good = false;
    } catch (const std::logic_error&) {
    }
    lock = fa::error{};
    parent = nullptr;
    try {
      program mine;  // one of its own
      good = good && mine.c.connected() && !mine.lock(db, "k", 50ms);
    } catch (...) {
      good = false;
    }
    char c = 'x';
    good = write(looked[1], &c, 1) == 1 && good;
    good = read(live[0], &c, 1) == 0 && good;  // lives until the parent lets it go
    _exit(good ? 0 : 1);
  }
  close(live[0]);
  // the parent notices nothing
  CHECK(lock->held());
  CHECK(parent->get<void>([&](auto done) { lock->store("mine", 10s, done); }));
  char c;
  CHECK(read(looked[0], &c, 1) == 1);
  parent = nullptr;
  program other;
  other.attach("forked.tdb");
  CHECK(other.lock(db, "k", 10s));  // though the child lives
  close(live[1]);
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("a lost node, and the same one again") {
  program plain(2), steady(2, false, true), tabled(2, true, true);
  const auto db = plain.attach("async-lost.tdb");
  steady.attach("async-lost.tdb");
  tabled.attach("async-lost.tdb");
  const auto persistent = steady.attach("async-lost-too.tdb", fa::kind::persistent);
  auto lock = steady.lock(db, "k");
  REQUIRE(lock);
  auto in_table = tabled.lock(db, "t");
  REQUIRE(in_table);
  auto open =
      steady.get<fa::transaction>([&](auto done) { steady.c.begin(persistent, 10s, done); });
  REQUIRE(open);
  int heard = 0;
  CHECK(steady.get<void>([&](auto done) {
    steady.c.listen(
        address, [&](const fa::message&) { ++heard; }, 10s, done);
  }));
  std::optional<fa::errc> waiting;
  plain.c.lock(db, "k", 600s, [&](fa::result<fa::record_lock> r) { waiting = r.why().code; });
  plain.c.run_for(50ms);
  please("kill node 2");
  CHECK(plain.c.run_until([&] { return waiting && !plain.downs.empty(); }, 20s));
  CHECK(*waiting == fa::errc::disconnected);
  CHECK(plain.downs[0].code == fa::errc::disconnected);
  CHECK(plain.read(db, "k").why().code == fa::errc::not_connected);
  CHECK(steady.c.run_until([&] { return !steady.downs.empty(); }, 20s));
  CHECK_FALSE(lock->held());
  CHECK(steady.get<void>([&](auto done) { lock->store("x", 10s, done); }).why().code ==
        fa::errc::no_lock);
  CHECK(tabled.c.run_until([&] { return !tabled.downs.empty(); }, 20s));
  CHECK(tabled.get<void>([&](auto done) { in_table->store("x", 10s, done); }).why().code ==
        fa::errc::no_lock);
  please("start node 2");
  REQUIRE(steady.c.run_until([&] { return steady.ups == 2; }, 60s));
  CHECK(steady.get<void>([&](auto done) { lock->unlock(10s, done); }).why().code ==
        fa::errc::no_lock);
  CHECK(steady.get<fa::committed>([&](auto done) { open->commit(10s, done); }).why().code ==
        fa::errc::refused);
  steady.write(db, "k", "again");
  CHECK(steady.read(db, "k")->data == "again");
  program(0).c.send(2, address, "hello");
  CHECK(steady.c.run_until([&] { return heard == 1; }, 20s));
  CHECK(plain.ups == 1);
  REQUIRE(tabled.c.run_until([&] { return tabled.ups == 2; }, 60s));
  tabled.write(db, "t", "again");
}

TEST_CASE("a traverse ends when the node is lost") {
  program p(2);
  const auto db = p.attach("async-walk-lost.tdb");
  for (int i = 0; i < 10; ++i) p.write(db, std::to_string(i), "v");
  std::optional<fa::errc> end;
  please("stop node 2");
  p.c.traverse(
      db, false, 600s, [](const fa::shown_record&) { return true; },
      [&](fa::result<std::uint64_t> r) { end = r ? fa::errc::refused : r.why().code; });
  p.c.run_for(50ms);
  please("kill node 2");
  CHECK(p.c.run_until([&] { return end.has_value(); }, 20s));
  CHECK(end == fa::errc::disconnected);
  please("start node 2");
}
