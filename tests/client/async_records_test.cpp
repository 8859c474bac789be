/// Records and transactions of floe/async.hpp. Played by tests/interop/test_async.py.
#include <algorithm>
#include <set>

#include "tests/client/async_scene.hpp"

using namespace async_test;

TEST_CASE("a record is locked as long as its lock lives") {
  for (const bool tables : {false, true}) {
    CAPTURE(tables);
    program a(0, tables), b(1);
    const auto db = a.attach("async.tdb");
    REQUIRE(b.attach("async.tdb") == db);
    {
      auto lock = a.lock(db, "key");
      REQUIRE(lock);
      CHECK(lock->held());
      CHECK(a.get<void>([&](auto done) { lock->store("value", 10s, done); }));
      auto moved = std::move(*lock);
      CHECK(moved.held());
      CHECK_FALSE(lock->held());
      CHECK_THROWS_AS(lock->store("x", 1s, nullptr), std::logic_error);
      const auto late = b.lock(db, "key", 50ms);
      REQUIRE_FALSE(late);
      CHECK(late.why().code == fa::errc::timed_out);
      CHECK_FALSE(a.lock(db, "key", 0ms));
    }
    a.settle();  // unlocked
    const auto read = b.read(db, "key");
    REQUIRE(read);
    CHECK(read->exists);
    CHECK(read->data == "value");
    CHECK(read->header.dmaster == 1);
    auto again = b.lock(db, "key", 10s);
    REQUIRE(again);
    CHECK(again->data() == "value");
    CHECK(b.get<void>([&](auto done) { again->erase_and_unlock(10s, done); }));
    CHECK_FALSE(again->held());
    CHECK_FALSE(a.read(db, "key")->exists);
  }
}

TEST_CASE("what nobody waits for is given back") {
  program a, b;
  const auto db = a.attach("ignored.tdb");
  b.attach("ignored.tdb");
  // nobody takes the lock that comes
  a.c.lock(db, "k", 10s, nullptr);
  a.settle();
  CHECK(b.lock(db, "k", 10s));
  // granted after the limit
  auto held = b.lock(db, "k");
  REQUIRE(held);
  CHECK(a.lock(db, "k", 20ms).why().code == fa::errc::timed_out);
  CHECK(b.get<void>([&](auto done) { held->unlock(10s, done); }));
  CHECK(b.lock(db, "k", 10s));
}

TEST_CASE("hundreds of steps under way at once lose none") {
  for (const bool tables : {false, true}) {
    CAPTURE(tables);
    program a(0, tables);
    const auto db = a.attach("sums.tdb");
    a.write(db, "sum", "0");
    int ended = 0;
    for (int i = 0; i < 300; ++i)
      a.c.lock(db, "sum", 60s, [&](fa::result<fa::record_lock> lock) {
        REQUIRE(lock);
        const int sum = std::atoi(std::string(lock->data()).c_str());
        lock->store_and_unlock(std::to_string(sum + 1), 10s, [&](fa::result<void> r) {
          CHECK(r);
          ++ended;
        });
      });
    CHECK((tables || a.c.outstanding() == 300));
    REQUIRE(a.c.run_until([&] { return ended == 300; }, 60s));
    CHECK(a.read(db, "sum")->data == "300");
  }
}

TEST_CASE("stores of one lock are carried out in order") {
  program a;
  const auto db = a.attach("order.tdb");
  auto lock = a.lock(db, "k");
  REQUIRE(lock);
  int ended = 0;
  for (int i = 0; i < 50; ++i)
    lock->store(std::to_string(i), 10s, [&](fa::result<void> r) { ended += r ? 1 : 1000; });
  CHECK(a.get<void>([&](auto done) { lock->unlock(10s, done); }));
  CHECK(ended == 50);
  CHECK(a.read(db, "k")->data == "49");
}

TEST_CASE("the three ways to read") {
  program a(0), b(1);
  const auto db = a.attach("reads.tdb");
  b.attach("reads.tdb");
  a.write(db, "k", "old");
  CHECK(a.read(db, "k", fa::read_from::copy)->data == "old");
  auto lock = a.lock(db, "k");
  CHECK(a.get<void>([&](auto done) { lock->store("new", 10s, done); }));
  bool settled = false;
  program other(0);
  other.c.read(db, "k", fa::read_from::settled, 20s, [&](fa::result<fa::record> r) {
    settled = true;
    CHECK(r->data == "new");
  });
  CHECK_FALSE(other.c.run_until([&] { return settled; }, 100ms));
  CHECK(a.get<void>([&](auto done) { lock->unlock(10s, done); }));
  CHECK(other.c.run_until([&] { return settled; }, 20s));
  CHECK_FALSE(b.read(db, "nobody has written this")->exists);
  CHECK_THROWS_AS(a.c.read(db, "", fa::read_from::owner, 1s, nullptr), std::invalid_argument);
  CHECK(a.read(0x12345678, "k").why().code == fa::errc::refused);
}

TEST_CASE("more than a node takes is a mistake, and ends nothing else") {
  program a;
  const auto db = a.attach("async-large.tdb");
  const std::string large(65 << 20, 'x'), part(25 << 20, 'x');
  auto held = a.lock(db, "key");
  REQUIRE(held);
  CHECK_THROWS_AS(held->store(large, 10s, nullptr), std::invalid_argument);
  CHECK_THROWS_AS(held->store_and_unlock(large, 10s, nullptr), std::invalid_argument);
  CHECK_THROWS_AS(a.c.lock(db, large, 10s, nullptr), std::invalid_argument);
  CHECK_THROWS_AS(a.c.send(0, 5, large), std::invalid_argument);
  CHECK_THROWS_AS(a.c.control(0, 35, large, 10s, nullptr), std::invalid_argument);
  CHECK(held->held());
  CHECK(a.get<void>([&](auto done) { held->store_and_unlock("value", 10s, done); }));
  const auto settings = a.attach("async-large-p.tdb", fa::kind::persistent);
  auto t = a.get<fa::transaction>([&](auto done) { a.c.begin(settings, 30s, done); });
  REQUIRE(t);
  for (const char* key : {"a", "b", "c"})  // too much together
    CHECK(a.get<void>([&](auto done) { t->store(key, part, 30s, done); }));
  const auto number = std::string("__db_sequence_number__\0", 23);
  CHECK_FALSE(a.get<void>([&](auto done) { t->store(number, "12345678", 30s, done); }));
  const auto committed = a.get<fa::committed>([&](auto done) { t->commit(30s, done); });
  REQUIRE_FALSE(committed);
  CHECK(committed.why().code == fa::errc::refused);
  CHECK_FALSE(a.read(settings, "a", fa::read_from::settled)->exists);
  CHECK(a.downs.empty());
}

TEST_CASE("a transaction is all or nothing, and waits for others") {
  program a(0), b(1);
  const auto db = a.attach("async-settings.tdb", fa::kind::persistent);
  b.attach("async-settings.tdb", fa::kind::persistent);
  const auto begin = [&](program& p, fa::limit t) {
    return p.get<fa::transaction>([&](auto done) { p.c.begin(db, t, done); });
  };
  const auto store = [&](program& p, fa::transaction& t, const char* key, const char* data) {
    return p.get<void>([&](auto done) { t.store(key, data, 10s, done); });
  };
  {
    auto t = begin(a, 30s);
    REQUIRE(t);
    CHECK(store(a, *t, "colour", "blue"));
    CHECK(t->changes() == 1);
    CHECK(a.get<std::optional<std::string>>([&](auto done) { t->fetch("colour", 10s, done); })
              .
              operator*() == "blue");
    CHECK(begin(b, 100ms).why().code == fa::errc::timed_out);
  }
  a.settle();  // cancelled
  auto t = begin(b, 30s);
  REQUIRE(t);
  CHECK(store(b, *t, "colour", "red"));
  const auto committed = b.get<fa::committed>([&](auto done) { t->commit(30s, done); });
  REQUIRE(committed);
  CHECK(committed->sends == 1);
  CHECK(a.read(db, "colour", fa::read_from::settled)->data == "red");
  CHECK_THROWS_AS(t->commit(1s, nullptr), std::logic_error);
  const auto number = a.get<std::uint64_t>(
      [&](auto done) { a.c.ask(fa::here, fa::questions::sequence_number(db), 10s, done); });
  CHECK(*number == committed->sequence_number);
  const auto volatile_db = a.attach("no-transactions.tdb");
  CHECK(a.get<fa::transaction>([&](auto done) { a.c.begin(volatile_db, 10s, done); }).why().code ==
        fa::errc::refused);
}

TEST_CASE("a transaction that is under way when its client goes disturbs nobody") {
  program b(1);
  const auto db = b.attach("async-left.tdb", fa::kind::persistent);
  for (int i = 0; i < 20; ++i) {
    program a(0);
    a.attach("async-left.tdb", fa::kind::persistent);
    auto left = std::make_shared<std::optional<fa::transaction>>();
    a.c.begin(db, 10s, [left](fa::result<fa::transaction> t) {
      if (!t) return;
      left->emplace(std::move(*t));
      (*left)->store("k", "v", 10s, [left](fa::result<void>) {});
    });
    a.c.run_for(fa::limit(i));
  }
  CHECK(b.get<fa::transaction>([&](auto done) { b.c.begin(db, 30s, done); }));
}

TEST_CASE("records are shown, of the cluster and of this node, until enough is seen") {
  program a(0), b(1);
  const auto db = a.attach("async-walked.tdb");
  b.attach("async-walked.tdb");
  for (int i = 0; i < 40; ++i) (i % 2 ? a : b).write(db, "key " + std::to_string(i), "v");
  std::set<std::string> keys;
  const auto all = a.get<std::uint64_t>([&](auto done) {
    a.c.traverse(
        db, false, 30s,
        [&](const fa::shown_record& r) {
          CHECK(r.data == "v");
          keys.emplace(r.key);
          return true;
        },
        done);
  });
  REQUIRE(all);
  CHECK(*all == 40);
  CHECK(keys.size() == 40);
  int shown = 0;
  const auto few = [&](const fa::shown_record&) { return ++shown < 3; };
  CHECK(*a.get<std::uint64_t>([&](auto done) { a.c.traverse(db, false, 30s, few, done); }) == 3);
  CHECK(shown == 3);
  shown = 0;
  CHECK(*a.get<std::uint64_t>([&](auto done) { a.c.traverse_here(db, 30s, few, done); }) == 3);
  CHECK(shown == 3);
  std::uint64_t here = 0;
  CHECK(*a.get<std::uint64_t>([&](auto done) {
    a.c.traverse_here(
        db, 30s, [&](const fa::shown_record&) { return ++here > 0; }, done);
  }) == here);
  CHECK(here >= 20);
}
