/// Transactions on persistent and replicated databases: on all nodes or none, one after the other,
/// kept over restarts.
#include <algorithm>

#include "tests/actors/transaction_support.hpp"

#include "protocol/constants.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/rec_data.hpp"

using namespace floe;
using namespace floe::test;

namespace {

const std::vector<std::string> keys{"a", "b", "c"};

}  // namespace

TEST_CASE("a transaction is stored on all nodes, with its sequence number, and deletes too") {
  for (const auto kind : {db_kind::persistent, db_kind::replicated}) {
    sim_cluster s(3);
    REQUIRE(s.settle(20s));
    auto& c = s.connect(1);
    const db_id db = attach_kind(s, c, "pairs.tdb", kind);
    CHECK(commit_now(s, c, db, {{"a", "1"}, {"b", "2"}}).seqnum == 1);
    for (std::size_t n = 0; n < 3; ++n) {
      CHECK(here(s, n, db, keys) == contents{{"a", "1"}, {"b", "2"}});
      CHECK(seqnum(s, n, db) == 1);
    }
    auto& other = s.connect(2);
    CHECK(commit_now(s, other, db, {{"a", ""}, {"c", "3"}}).seqnum == 2);
    for (std::size_t n = 0; n < 3; ++n) {
      CHECK(here(s, n, db, keys) == contents{{"b", "2"}, {"c", "3"}});
      CHECK(seqnum(s, n, db) == 2);
    }
    // the same once more changes nothing
    CHECK(commit_now(s, c, db, {{"b", "2"}, {"a", ""}}).sends == 0);
    CHECK(seqnum(s, 0, db) == 2);
    CHECK(s.normal());
  }
}

TEST_CASE("a transaction sees its own changes, and leaves nothing when it is cancelled") {
  sim_cluster s(2);
  REQUIRE(s.settle(20s));
  auto& c = s.connect(0);
  const db_id db = attach_kind(s, c, "pairs.tdb", db_kind::persistent);
  commit_now(s, c, db, {{"a", "1"}});
  const auto t = begin(s, c, db);
  const auto fetch = [&](const std::string& k) {
    const auto r = finish<std::optional<bytes>>(s, [&](auto done) { t->fetch(k, 5s, done); });
    REQUIRE(r.has_value());
    return r->value_or("nothing");
  };
  CHECK(fetch("a") == "1");
  set(s, t, "a", "2");
  CHECK(fetch("a") == "2");
  set(s, t, "a", "");
  CHECK(fetch("a") == "nothing");
  CHECK(finish<void>(s, [&](auto done) { t->cancel(5s, done); }).has_value());
  CHECK(here(s, 1, db, keys) == contents{{"a", "1"}});
  CHECK(seqnum(s, 1, db) == 1);
  CHECK_FALSE(finish<void>(s, [&](auto done) { t->store("a", "3", 5s, done); }).has_value());
}

TEST_CASE("a full disk refuses a transaction, and leaves nothing that the next one waits for") {
  sim_cluster s(1);
  REQUIRE(s.settle(20s));
  auto& c = s.connect(0);
  const db_id db = attach_kind(s, c, "pairs.tdb", db_kind::persistent);
  commit_now(s, c, db, {{"a", "1"}});
  s.disk(0).set_full(true);
  const auto refused = finish<transaction::ptr>(
      s, [&](auto done) { transaction::start(c, db, transaction::mode::read_write, 20s, done); });
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == client_errc::refused);
  s.disk(0).set_full(false);
  const auto since = s.loop_now();
  commit_now(s, c, db, {{"b", "2"}});
  CHECK(s.loop_now() - since < 1s);
  CHECK(here(s, 0, db, keys) == contents{{"a", "1"}, {"b", "2"}});
}

TEST_CASE("transactions of clients of all nodes follow each other: none is lost") {
  sim_cluster s(3, 7);
  REQUIRE(s.settle(20s));
  constexpr int rounds = 6;
  struct worker {
    client* c;
    int left = rounds;
    transaction::ptr t;
  };
  std::vector<worker> all;
  for (std::size_t n = 0; n < 3; ++n)
    for (int i = 0; i < 2; ++i) all.push_back({&s.connect(n), rounds, {}});
  const db_id db = attach_kind(s, *all[0].c, "count.tdb", db_kind::persistent);
  for (auto& w : all) attach_kind(s, *w.c, "count.tdb", db_kind::persistent);
  int failed = 0;
  std::function<void(worker&)> turn = [&](worker& w) {
    if (w.left-- == 0) return;
    transaction::start(*w.c, db, transaction::mode::read_write, 60s,
                       [&](const result<transaction::ptr>& t) {
                         if (!t) return void(++failed);
                         w.t = *t;
                         w.t->fetch("a", 5s, [&](const result<std::optional<bytes>>& now) {
                           const int n = now && *now ? std::stoi(**now) : 0;
                           w.t->store("a", std::to_string(n + 1), 5s, [&](const result<void>&) {
                             w.t->commit(60s, [&](const result<commit_result>& r) {
                               failed += !r.has_value();
                               w.t.reset();
                               turn(w);
                             });
                           });
                         });
                       });
  };
  for (auto& w : all) turn(w);
  REQUIRE(s.run(
      [&] { return std::ranges::all_of(all, [](const worker& w) { return w.left < 0; }); }, 300s));
  CHECK(failed == 0);
  for (std::size_t n = 0; n < 3; ++n) {
    CHECK(here(s, n, db, keys) == contents{{"a", std::to_string(rounds * 6)}});
    CHECK(seqnum(s, n, db) == rounds * 6);
  }
  CHECK(s.normal());
}

TEST_CASE(
    "all nodes are killed: what was committed is there again, equal on all; replicated content is "
    "gone") {
  sim_cluster s(3);
  REQUIRE(s.settle(20s));
  auto& c = s.connect(0);
  const db_id kept = attach_kind(s, c, "kept.tdb", db_kind::persistent);
  const db_id shared = attach_kind(s, c, "shared.tdb", db_kind::replicated);
  for (const auto db : {kept, shared})
    for (const char* value : {"1", "2", "3"}) commit_now(s, c, db, {{"a", value}, {"b", value}});
  for (std::size_t n = 0; n < 3; ++n) s.kill(n);
  for (std::size_t n = 0; n < 3; ++n) s.start(n);
  REQUIRE(s.settle(30s));
  auto& again = s.connect(2);
  CHECK(attach_kind(s, again, "shared.tdb", db_kind::replicated) == shared);
  for (std::size_t n = 0; n < 3; ++n) {
    CHECK(here(s, n, kept, keys) == contents{{"a", "3"}, {"b", "3"}});
    CHECK(seqnum(s, n, kept) == 3);
    CHECK(here(s, n, shared, keys).empty());
    CHECK(seqnum(s, n, shared) == 0);
  }
  CHECK(commit_now(s, again, kept, {{"a", "4"}}).seqnum == 4);
}

TEST_CASE("a node that was away gets what was committed meanwhile") {
  for (const auto kind : {db_kind::persistent, db_kind::replicated}) {
    sim_cluster s(3);
    REQUIRE(s.settle(20s));
    auto& c = s.connect(0);
    const db_id db = attach_kind(s, c, "pairs.tdb", kind);
    commit_now(s, c, db, {{"a", "1"}, {"b", "1"}});
    s.kill(2);
    REQUIRE(s.settle(20s));
    commit_now(s, c, db, {{"a", "2"}, {"b", ""}});
    s.start(2);
    REQUIRE(s.settle(20s));
    for (std::size_t n = 0; n < 3; ++n) {
      CHECK(here(s, n, db, keys) == contents{{"a", "2"}});
      CHECK(seqnum(s, n, db) == 2);
    }
  }
}

TEST_CASE(
    "a database sequence number read during a freeze is refused at once, and nothing hangs (bug "
    "13021)") {
  sim_cluster s(2);
  REQUIRE(s.settle(20s));
  auto& c = s.connect(0);
  const db_id db = attach_kind(s, c, "pairs.tdb", db_kind::persistent);
  commit_now(s, c, db, {{"a", "1"}});
  const db_seqnum_request wanted{db};
  REQUIRE(ask<control::db_freeze>(s, c, db).has_value());
  const auto before = s.loop_now();
  const auto refused = ask<control::get_db_seqnum>(s, c, wanted);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == client_errc::refused);
  CHECK(s.loop_now() - before < 100ms);
  REQUIRE(ask<control::db_thaw>(s, c, db).has_value());
  CHECK(ask<control::get_db_seqnum>(s, c, wanted).has_value());
  CHECK(seqnum(s, 0, db) == 1);
}

TEST_CASE("a commit meets a database that is frozen without a recovery: it waits for the thaw") {
  sim_cluster s(2);
  REQUIRE(s.settle(20s));
  auto& c = s.connect(0);
  auto& other = s.connect(1);
  const db_id db = attach_kind(s, c, "pairs.tdb", db_kind::persistent);
  const auto t = begin(s, c, db);
  set(s, t, "a", "1");
  REQUIRE(ask<control::db_freeze>(s, other, db).has_value());
  std::optional<result<commit_result>> end;
  t->commit(30s, [&](const result<commit_result>& r) { end = r; });
  CHECK_FALSE(s.run([&] { return end.has_value(); }, 2s));
  REQUIRE(ask<control::db_thaw>(s, other, db).has_value());
  REQUIRE(s.run([&] { return end.has_value(); }, 2s));
  CHECK(end->has_value());
  CHECK(here(s, 1, db, keys) == contents{{"a", "1"}});
}

TEST_CASE(
    "a copy that differs on one node: all nodes end up equal, and the client is told which it is") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    sim_cluster s(3, seed);
    REQUIRE(s.settle(20s));
    auto& c = s.connect(0);
    const db_id db = attach_kind(s, c, "pairs.tdb", db_kind::persistent);
    commit_now(s, c, db, {{"a", "1"}});
    // past the sequence number, on one node alone
    const pnn odd{static_cast<std::uint32_t>(seed % 3)};
    rec_buffer_builder rogue(db);
    rogue.add("a", {.rsn = rsn{99}, .dmaster = odd}, "rogue");
    std::optional<bool> planted;
    c.send_control(odd, control::update_record, rogue.take(), 5s,
                   [&](const auto& r) { planted = r.has_value(); });
    REQUIRE(s.run([&] { return planted.has_value(); }, 10s));
    REQUIRE(*planted);
    const auto t = begin(s, c, db);
    set(s, t, "a", "2");
    const auto r = finish<commit_result>(s, [&](auto done) { t->commit(60s, done); });
    REQUIRE(s.settle(20s));
    const auto first = here(s, 0, db, keys);
    for (std::size_t n = 0; n < 3; ++n) CHECK(here(s, n, db, keys) == first);
    CHECK((first == contents{{"a", "2"}}) == r.has_value());
    if (!r) CHECK(r.error().text.find("nothing is stored") != std::string::npos);
  }
}

TEST_CASE("volatile databases have no transactions, the others no locks of records") {
  sim_cluster s(2);
  REQUIRE(s.settle(20s));
  auto& c = s.connect(0);
  const db_id loose = attach_now(s, c, "loose.tdb");
  const auto t = finish<transaction::ptr>(
      s, [&](auto done) { transaction::start(c, loose, transaction::mode::read_write, 5s, done); });
  REQUIRE_FALSE(t.has_value());
  CHECK(t.error().text.find("volatile") != std::string::npos);
  const db_id kept = attach_kind(s, c, "kept.tdb", db_kind::persistent);
  const auto l = finish<locked_record>(s, [&](auto done) { lock_record(c, kept, "a", 5s, done); });
  REQUIRE_FALSE(l.has_value());
  CHECK(l.error().code == client_errc::refused);
}

TEST_CASE("the lock of a client that has gone is taken over, that of a living one is not") {
  sim_cluster s(2);
  REQUIRE(s.settle(20s));
  auto& first = s.connect(0);
  auto& second = s.connect(1);
  const db_id db = attach_kind(s, first, "pairs.tdb", db_kind::persistent);
  attach_kind(s, second, "pairs.tdb", db_kind::persistent);
  auto t = begin(s, first, db);
  const auto denied = finish<transaction::ptr>(s, [&](auto done) {
    transaction::start(second, db, transaction::mode::read_write, 2s, done);
  });
  REQUIRE_FALSE(denied.has_value());
  CHECK(denied.error().code == client_errc::timed_out);
  std::vector<result<transaction::ptr>> next;  // a vector: g++ 12 warns of an optional at -O2
  transaction::start(second, db, transaction::mode::read_write, 30s,
                     [&](const auto& r) { next.push_back(r); });
  CHECK_FALSE(s.run([&] { return !next.empty(); }, 1s));
  // gone without giving the lock back
  first.close();
  REQUIRE(s.run([&] { return !next.empty(); }, 5s));
  CHECK(next.front().has_value());
  t.reset();
  next.clear();
}

TEST_CASE(
    "a client is destroyed: its transaction may be later, and who waited for the lock is not "
    "called") {
  sim_cluster s(2);
  REQUIRE(s.settle(20s));
  auto& first = s.connect(0);
  auto& second = s.connect(0);
  auto& third = s.connect(1);
  const db_id db = attach_kind(s, first, "pairs.tdb", db_kind::persistent);
  attach_kind(s, third, "pairs.tdb", db_kind::persistent);
  auto t = begin(s, first, db);
  set(s, t, "a", "1");
  bool called = false;
  transaction::start(second, db, transaction::mode::read_write, 30s,
                     [&](const auto&) { called = true; });
  CHECK_FALSE(s.run([&] { return called; }, 1s));
  s.disconnect(second);
  s.disconnect(first);
  CHECK_FALSE(s.run([&] { return called; }, 1s));
  t.reset();
  CHECK(commit_now(s, third, db, {{"a", "2"}}).seqnum == 1);
  CHECK_FALSE(called);
}

TEST_CASE("readers share the lock, a writer waits for them") {
  sim_cluster s(2);
  REQUIRE(s.settle(20s));
  auto& c = s.connect(0);
  auto& other = s.connect(1);
  const db_id db = attach_kind(s, c, "pairs.tdb", db_kind::persistent);
  attach_kind(s, other, "pairs.tdb", db_kind::persistent);
  const auto read = [&](client& who) {
    const auto t = finish<transaction::ptr>(
        s, [&](auto done) { transaction::start(who, db, transaction::mode::read_only, 5s, done); });
    REQUIRE(t.has_value());
    return *t;
  };
  auto a = read(c), b = read(other);
  CHECK_FALSE(finish<void>(s, [&](auto done) { a->store("a", "1", 5s, done); }).has_value());
  std::vector<result<transaction::ptr>> writer;  // a vector: g++ 12 warns of an optional at -O2
  transaction::start(c, db, transaction::mode::read_write, 30s,
                     [&](const auto& r) { writer.push_back(r); });
  CHECK_FALSE(s.run([&] { return !writer.empty(); }, 1s));
  CHECK(finish<void>(s, [&](auto done) { a->cancel(5s, done); }).has_value());
  CHECK_FALSE(s.run([&] { return !writer.empty(); }, 1s));
  CHECK(finish<void>(s, [&](auto done) { b->cancel(5s, done); }).has_value());
  REQUIRE(s.run([&] { return !writer.empty(); }, 5s));
  CHECK(writer.front().has_value());
  writer.clear();
}
