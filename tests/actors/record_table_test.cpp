/// Records in shared memory, with whole nodes: what clients do there is what the node, other nodes and recoveries find, and
/// what the node wants it gets. Every step of a client is an event of the simulation, so that it can die between any two.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "actors/client/client_tables.hpp"
#include "protocol/record_status.hpp"
#include "protocol/types/record_access.hpp"
#include "protocol/types/statistics.hpp"
#include "tests/actors/sim_cluster.hpp"

using namespace floe;
using namespace floe::test;

namespace {

struct hot_cluster : sim_cluster {
  explicit hot_cluster(std::size_t nodes, std::uint64_t seed = 1, std::uint32_t patience_s = 0)
      : sim_cluster(nodes, seed, {.cluster_lock = false, .start = false}) {
    for (std::size_t n = 0; n < nodes; ++n) {
      config(n).tunables.set("RecordTable", 1);
      if (patience_s) config(n).tunables.set("LockHolderPatience", patience_s);
      start(n);
    }
    REQUIRE(settle(20s));
  }
  /// A client that has the table of the database.
  client& hot(std::size_t n, const std::string& name, db_id& db) {
    auto& c = connect(n, true);
    db = attach_now(*this, c, name);
    REQUIRE(run([&] { return c.tables()->usable(c, db); }, 5s));
    return c;
  }
  bool logged(const std::string& text) const {
    return std::ranges::any_of(log(),
                               [&](const auto& l) { return l.find(text) != std::string::npos; });
  }
};

bool in_table(const locked_record& l) { return client_tables::is_ours(l.lock_id); }

}  // namespace

TEST_CASE("the second lock of a record asks nobody") {
  hot_cluster c(1);
  db_id db{};
  auto& a = c.hot(0, "locking.tdb", db);
  auto& b = c.hot(0, "locking.tdb", db);
  write_now(c, a, db, "k", "0");
  const auto before = c.status(0);
  const auto first = lock_now(c, a, db, "k");
  CHECK(in_table(first));
  CHECK(first.data == "0");
  store_now(c, a, first.lock_id, "1");
  const auto second = lock_now(c, b, db, "k");
  CHECK(in_table(second));
  CHECK(second.data == "1");
  CHECK(number(second.header.rsn) == number(first.header.rsn) + 1);
  CHECK(second.header.dmaster == pnn{0});
  unlock_now(c, b, second.lock_id);
  CHECK(read_now(c, b, db, "k").data == "1");
  // what others see by the node is the same, also of who has no table
  auto& plain = c.connect(0);
  CHECK(read_now(c, plain, db, "k").data == "1");
  CHECK(read_now(c, plain, db, "k", read_from::this_node).data == "1");
  CHECK(in_table(lock_now(c, a, db, "k")));  // a reader has not driven it out
}

TEST_CASE("a record in the table goes where it is wanted, with what was stored last") {
  for (std::uint64_t seed = 1; seed <= (thorough ? 30 : 3); ++seed) {
    CAPTURE(seed);
    hot_cluster c(3, seed);
    db_id db{};
    std::vector<client*> clients;
    for (std::size_t n = 0; n < 3; ++n) clients.push_back(&c.hot(n, "locking.tdb", db));
    clients.push_back(&c.connect(1));  // one without the table
    attach_now(c, *clients.back(), "locking.tdb");
    // everybody counts, all at once
    constexpr int each = 25;
    std::vector<int> left(clients.size(), each);
    std::size_t busy = clients.size();
    std::function<void(std::size_t)> go = [&](std::size_t i) {
      if (left[i]-- == 0) {
        --busy;
        return;
      }
      lock_record(*clients[i], db, "count", 60s, [&, i](const result<locked_record>& l) {
        REQUIRE(l.has_value());
        const auto n = l->data.empty() ? 0 : std::stoi(l->data);
        store_record(*clients[i], l->lock_id, std::to_string(n + 1), after_write::unlock, 60s,
                     [&, i](const result<void>& s) {
                       REQUIRE(s.has_value());
                       go(i);
                     });
      });
    };
    for (std::size_t i = 0; i < clients.size(); ++i) go(i);
    REQUIRE(c.run([&] { return busy == 0; }, 120s));
    CHECK(read_now(c, *clients[2], db, "count").data ==
          std::to_string(each * static_cast<int>(clients.size())));
    CHECK(!c.logged("rsn-went-back"));
    CHECK(!c.logged("table-slot-dropped"));
  }
}

TEST_CASE("a recovery finds everything, and waits for who holds a record") {
  hot_cluster c(3);
  db_id db{};
  auto& a = c.hot(0, "locking.tdb", db);
  auto& far = c.hot(1, "locking.tdb", db);
  for (int i = 0; i < 40; ++i)
    write_now(c, a, db, "key " + std::to_string(i), "v" + std::to_string(i));
  const auto held = lock_now(c, a, db, "key 7");
  c.kill(2);
  REQUIRE(c.run([&] { return c.logged("freeze-waits"); }, 20s));
  // the database is closed: who holds may store, nobody else gets a lock
  std::optional<bool> other;
  lock_record(a, db, "key 8", 60s, [&](const result<locked_record>& l) { other = l.has_value(); });
  c.run([] { return false; }, 300ms);
  CHECK(!other);
  store_now(c, a, held.lock_id, "new");
  REQUIRE(c.settle(30s));
  REQUIRE(c.run([&] { return other.has_value(); }, 10s));
  CHECK(*other);
  CHECK(read_now(c, far, db, "key 7").data == "new");
  for (int i = 9; i < 40; ++i)
    CHECK(read_now(c, far, db, "key " + std::to_string(i)).data == "v" + std::to_string(i));
}

TEST_CASE(
    "a client that holds a record for too long is disconnected, and what it does then does no "
    "harm") {
  hot_cluster c(2, 1, 1);
  db_id db{};
  auto& a = c.hot(0, "locking.tdb", db);
  auto& b = c.hot(0, "locking.tdb", db);
  write_now(c, a, db, "k", "old");
  const auto held = lock_now(c, a, db, "k");
  CHECK(in_table(held));
  c.kill(1);
  REQUIRE(c.run([&] { return c.logged("client-disconnected"); }, 30s));
  std::optional<result<void>> late;
  store_record(a, held.lock_id, "too late", after_write::unlock, 10s,
               [&](const result<void>& r) { late = r; });
  REQUIRE(c.run([&] { return late.has_value(); }, 20s));
  CHECK(!late->has_value());
  REQUIRE(c.settle(30s));
  CHECK(read_now(c, b, db, "k").data == "old");
}

TEST_CASE(
    "a client may die between any two steps: its lock is free, and what it was told is stored") {
  // the number of steps until it is killed; the other client locks the record afterwards
  for (int steps = 1; steps < 120; steps += thorough ? 1 : 3) {
    CAPTURE(steps);
    hot_cluster c(2, static_cast<std::uint64_t>(steps));
    db_id db{};
    auto& stays = c.hot(0, "locking.tdb", db);
    auto& dies = c.hot(0, "locking.tdb", db);
    write_now(c, stays, db, "k", "0");
    bool stored = false;
    lock_record(dies, db, "k", 30s, [&](const result<locked_record>& l) {
      REQUIRE(l.has_value());
      store_record(dies, l->lock_id, "1", after_write::keep_lock, 30s,
                   [&, id = l->lock_id](const result<void>& s) {
                     stored = s.has_value();
                     unlock_record(dies, id, 30s, [](const result<void>&) {});
                   });
    });
    int seen = 0;
    c.run([&] { return ++seen > steps; }, 2s);
    c.disconnect(dies);
    const auto after = lock_now(c, stays, db, "k");
    CHECK((after.data == "1" || (!stored && after.data == "0")));
    unlock_now(c, stays, after.lock_id);
    // it can go to another node still
    auto& far = c.connect(1);
    attach_now(c, far, "locking.tdb");
    CHECK(lock_now(c, far, db, "k").data == after.data);
  }
}

TEST_CASE("what does not fit is stored by the node, under the same lock") {
  hot_cluster c(1);
  db_id db{};
  auto& a = c.hot(0, "locking.tdb", db);
  write_now(c, a, db, "k", "small");
  const auto held = lock_now(c, a, db, "k");
  REQUIRE(in_table(held));
  const std::string large(100'000, 'x');
  store_now(c, a, held.lock_id, large, after_write::keep_lock);
  store_now(c, a, held.lock_id, large + "y", after_write::unlock);
  CHECK(read_now(c, a, db, "k").data == large + "y");
  const auto again = lock_now(c, a, db, "k");
  CHECK(!in_table(again));  // too large for the table
  store_now(c, a, again.lock_id, "small again");
  CHECK(in_table(lock_now(c, a, db, "k")));
}

TEST_CASE("a node that is stopped answers for nothing: nobody locks in its table") {
  hot_cluster c(3);
  db_id db{};
  auto& a = c.hot(0, "locking.tdb", db);
  write_now(c, a, db, "k", "v");
  const auto held = lock_now(c, a, db, "k");
  c.pause(0);
  c.run([] { return false; }, 1500ms);
  std::optional<bool> stored, locked;
  store_record(a, held.lock_id, "not now", after_write::unlock, 60s,
               [&](const result<void>& r) { stored = r.has_value(); });
  lock_record(a, db, "other", 60s, [&](const result<locked_record>& r) { locked = r.has_value(); });
  c.run([] { return false; }, 500ms);
  CHECK(!stored);
  CHECK(!locked);
  c.resume(0);
  REQUIRE(c.run([&] { return stored && locked; }, 60s));
  CHECK(*stored);
  CHECK(read_now(c, a, db, "k").data == "not now");
}

TEST_CASE("the sequence number changes with every change, and is read without the node") {
  hot_cluster c(2);
  db_id db{};
  auto& a = c.hot(0, "locking.tdb", db);
  auto& plain = c.connect(0);
  write_now(c, a, db, "k", "1");
  const auto first = a.tables()->sequence_number(db);
  REQUIRE(first);
  write_now(c, a, db, "k", "2");
  const auto second = a.tables()->sequence_number(db);
  CHECK(*second > *first);
  write_now(c, plain, db, "elsewhere", "3");
  CHECK(*a.tables()->sequence_number(db) > *second);
  const auto quiet = a.tables()->sequence_number(db);
  c.run([] { return false; }, 500ms);  // taken into the store meanwhile: that is no change
  CHECK(a.tables()->sequence_number(db) == quiet);
}

TEST_CASE("what is looked at without a lock is read in the table, until somebody changes it") {
  hot_cluster c(2);
  db_id db{};
  auto& a = c.hot(0, "brlock.tdb", db);
  auto& plain = c.connect(0);
  auto& elsewhere = c.connect(1);
  attach_now(c, elsewhere, "brlock.tdb");
  const auto look = [&](const std::string& key) {
    std::optional<std::uint32_t> found;
    a.control<control::record_read>(
        pnn::current, {.db_id = db, .flags = record_read_settled, .key = key}, 10s,
        [&](const result<client_answer<record_read_reply>>& r) { found = r.value().value.found; });
    REQUIRE(c.run([&] { return found.has_value(); }));
    return *found != 0;
  };
  // of keys that nobody has stored this node tracks some, and the other node the others
  for (int i = 0; i < 16; ++i) {
    const auto key = "none " + std::to_string(i);
    CHECK(!look(key));
    CHECK(read_now(c, a, db, key).data.empty());
    write_now(c, i % 2 ? plain : elsewhere, db, key, "stored");
    CHECK(read_now(c, a, db, key).data == "stored");
  }
  // a record of ours: the reader sees each change, whoever makes it, and a lock is granted in the table as before
  write_now(c, plain, db, "k", "0");
  for (int i = 1; i <= 6; ++i) {
    CHECK(look("k"));
    CHECK(read_now(c, a, db, "k").data == std::to_string(i - 1));
    write_now(c, i % 2 ? plain : a, db, "k", std::to_string(i));
    CHECK(read_now(c, a, db, "k").data == std::to_string(i));
    pass(c, 3s);  // what was locked in the table leaves it
  }
  CHECK(look("k"));
  CHECK(in_table(lock_now(c, a, db, "k")));
}

TEST_CASE("a record that is read again and again stays here for a while: its readers ask nobody") {
  hot_cluster c(2);
  db_id db{}, same{};
  auto& reader = c.hot(0, "locking.tdb", db);
  auto& writer = c.hot(1, "locking.tdb", same);
  auto& asks = c.connect(0);
  const auto requests = [&] {
    std::optional<std::uint32_t> n;
    asks.control<control::statistics>(pnn::current, {}, 5s,
                                      [&](const auto& a) { n = a->value.client_req_control; });
    REQUIRE(c.run([&] { return n.has_value(); }));
    return *n;
  };
  write_now(c, writer, db, "k", "0");
  write_now(c, writer, db, "once", "0");
  const auto before = requests();
  CHECK(read_now(c, reader, db, "once").data == "0");
  for (int i = 0; i < 100; ++i) CHECK(read_now(c, reader, db, "k").data == "0");
  // ours: the first two reads, the one of the other record, and this question
  CHECK(requests() - before == 4);

  // readers that never stop keep a writer elsewhere waiting for moments, and see what it has written
  bool stop = false;
  int reads = 0;
  std::string seen = "0";
  std::function<void(const result<read_record_answer>&)> again =
      [&](const result<read_record_answer>& r) {
        REQUIRE(r.has_value());
        ++reads;
        CHECK(std::stoi(r->data) >= std::stoi(seen));
        seen = r->data;
        if (!stop) read_record(reader, db, "k", read_from::owner, 5s, again);
      };
  read_record(reader, db, "k", read_from::owner, 5s, again);
  duration longest{};
  for (int i = 1; i <= 20; ++i) {
    const auto begun = c.loop_now();
    write_now(c, writer, db, "k", std::to_string(i));
    longest = std::max(longest, duration{c.loop_now() - begun});
    pass(c, 5ms);
  }
  CHECK(longest < 50ms);
  stop = true;
  pass(c, 50ms);
  CHECK(seen == "20");
  CHECK(reads > 200);
}

TEST_CASE(
    "a record that clients of all nodes want all the time comes to each of them before long") {
  for (std::uint64_t seed = 1; seed <= (thorough ? 10 : 2); ++seed) {
    CAPTURE(seed);
    hot_cluster c(3, seed);
    db_id db{};
    std::vector<client*> clients;
    for (std::size_t i = 0; i < 12; ++i) clients.push_back(&c.hot(i % 3, "locking.tdb", db));
    std::vector<int> done(clients.size(), 0);
    std::vector<duration> waits;  // of those that found it elsewhere
    bool stop = false;
    std::size_t busy = clients.size();
    std::function<void(std::size_t)> go = [&](std::size_t i) {
      if (stop) {
        --busy;
        return;
      }
      const auto begun = c.loop_now();
      lock_record(*clients[i], db, "wanted", 60s, [&, i, begun](const result<locked_record>& l) {
        REQUIRE(l.has_value());
        if (const duration waited = c.loop_now() - begun; waited > 2ms && !stop)
          waits.push_back(waited);
        ++done[i];
        store_record(*clients[i], l->lock_id, "x", after_write::unlock, 60s,
                     [&, i](const result<void>& s) {
                       REQUIRE(s.has_value());
                       go(i);
                     });
      });
    };
    for (std::size_t i = 0; i < clients.size(); ++i) go(i);
    pass(c, 800ms);  // all nodes have streams: it stays for up to 18 ms on each
    stop = true;
    REQUIRE(c.run([&] { return busy == 0; }, 60s));
    REQUIRE(waits.size() > 100);
    const auto mean = std::accumulate(waits.begin(), waits.end(), duration{0}) /
                      static_cast<std::int64_t>(waits.size());
    CHECK(std::ranges::max(waits) < 10 * mean);
    CHECK(std::ranges::min(done) > 20);
  }
}
