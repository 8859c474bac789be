/// Wipe and restore: on all nodes or not at all, and no database stays frozen.
#include "actors/client/replace.hpp"

#include "protocol/constants.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/types/vnn_map.hpp"
#include "tests/actors/transaction_support.hpp"

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

/// Two buffers.
record_feed feed(db_id db, const contents& all, pnn owner,
                 std::optional<std::uint64_t> number = {}) {
  std::vector<bytes> parts;
  for (int half = 0; half < 2; ++half) {
    rec_buffer_builder b(db);
    int i = 0;
    for (const auto& [k, v] : all)
      if (i++ % 2 == half)
        b.add(k, {.rsn = rsn{9}, .dmaster = owner, .flags = record_flag::migrated_with_data}, v);
    if (half && number)
      b.add(sequence_number_key, {.rsn = rsn{9}, .dmaster = owner}, wire::encode(*number));
    parts.push_back(b.take());
  }
  auto next = std::make_shared<std::size_t>(0);
  return [parts, next]() -> std::expected<std::optional<bytes>, std::string> {
    if (*next == parts.size()) return std::nullopt;
    return parts[(*next)++];
  };
}

result<replaced_content> replace_now(sim_cluster& s, client& c, replace_plan p) {
  return finish<replaced_content>(s, [&](auto done) { replace_content(c, std::move(p), done); });
}

contents everywhere(sim_cluster& s, db_id db, const std::vector<std::string>& keys) {
  const auto first = here(s, 0, db, keys);
  for (std::size_t n = 1; n < s.size(); ++n) CHECK(here(s, n, db, keys) == first);
  return first;
}

}  // namespace

TEST_CASE("wipe: no record is left on any node, of any kind of database, and life goes on") {
  sim_cluster s(3);
  REQUIRE(s.settle(20s));
  auto& c = s.connect(0);
  const auto keys = names(6);
  const db_id loose = attach_now(s, c, "loose.tdb");
  auto& other = s.connect(2);
  attach_now(s, other, "loose.tdb");
  for (std::size_t i = 0; i < keys.size(); ++i)
    write_now(s, i % 2 ? c : other, loose, keys[i], "value");
  REQUIRE(replace_now(s, c, {.db = loose, .name = "loose.tdb"}).has_value());
  CHECK(everywhere(s, loose, keys).empty());
  write_now(s, other, loose, keys[0], "again");
  CHECK(read_now(s, c, loose, keys[0]).data == "again");
  for (const auto kind : {db_kind::persistent, db_kind::replicated}) {
    const auto name = kind == db_kind::persistent ? "kept.tdb" : "shared.tdb";
    const db_id db = attach_kind(s, c, name, kind);
    commit_now(s, c, db, with(keys, "old"));
    const auto done = replace_now(s, c, {.db = db, .name = name, .kind = kind});
    REQUIRE(done.has_value());
    CHECK(done->nodes == 3);
    CHECK(everywhere(s, db, keys).empty());
    commit_now(s, other, db, with(keys, "new"));
    CHECK(everywhere(s, db, keys) == with(keys, "new"));
  }
  CHECK(s.normal());
}

TEST_CASE("restore: the given records and no others, on all nodes; also for waiting clients") {
  sim_cluster s(3);
  REQUIRE(s.settle(20s));
  auto& c = s.connect(1);
  const auto keys = names(9);
  const db_id kept = attach_kind(s, c, "kept.tdb", db_kind::persistent);
  commit_now(s, c, kept, {{"key0", "old"}, {"other", "old"}});
  const auto done = replace_now(s, c,
                                {.db = kept,
                                 .name = "kept.tdb",
                                 .kind = db_kind::persistent,
                                 .feed = feed(kept, with(keys, "restored"), pnn{1}, 40)});
  REQUIRE(done.has_value());
  CHECK(done->records == 10);
  CHECK(everywhere(s, kept, keys) == with(keys, "restored"));
  CHECK(everywhere(s, kept, {"other"}).empty());
  CHECK(seqnum(s, 2, kept) == 40);
  CHECK(commit_now(s, c, kept, {{"key0", "later"}}).seqnum == 41);

  const db_id loose = attach_now(s, c, "loose.tdb");
  auto& reader = s.connect(2);
  attach_now(s, reader, "loose.tdb");
  write_now(s, reader, loose, "key1", "old");
  REQUIRE(
      replace_now(
          s, c,
          {.db = loose, .name = "loose.tdb", .feed = feed(loose, with(keys, "restored"), pnn{1})})
          .has_value());
  for (const auto& k : keys) {
    CHECK(read_now(s, reader, loose, k).data == "restored");
    write_now(s, reader, loose, k, "next");
    CHECK(read_now(s, c, loose, k).data == "next");
  }
  CHECK(s.normal());
}

TEST_CASE("restore: records that turn out bad half way leave everything as it was") {
  sim_cluster s(3);
  REQUIRE(s.settle(20s));
  auto& c = s.connect(0);
  const auto keys = names(4);
  const db_id db = attach_kind(s, c, "kept.tdb", db_kind::persistent);
  commit_now(s, c, db, with(keys, "old"));
  auto good = feed(db, with(keys, "new"), pnn{0}, 70);
  auto count = std::make_shared<int>(0);
  const auto r =
      replace_now(s, c,
                  {.db = db,
                   .name = "kept.tdb",
                   .kind = db_kind::persistent,
                   .feed = [good, count]() -> std::expected<std::optional<bytes>, std::string> {
                     if ((*count)++) return std::unexpected("the file is damaged");
                     return good();
                   }});
  REQUIRE_FALSE(r.has_value());
  CHECK(r.error().text.find("damaged") != std::string::npos);
  REQUIRE(s.settle(20s));
  CHECK(everywhere(s, db, keys) == with(keys, "old"));
  CHECK(seqnum(s, 1, db) == 1);
}

TEST_CASE(
    "the tool that replaces a database ends at any moment: it is thawed, and old or new on all "
    "nodes") {
  for (const bool restore : {false, true}) {
    bool early = false, late = false;
    for (duration after = 0us; !late && after < 100ms; after += thorough ? 600us : 2400us) {
      CAPTURE(restore);
      CAPTURE(after.count());
      sim_cluster s(3);
      REQUIRE(s.settle(20s));
      auto& c = s.connect(0);
      const auto keys = names(4);
      const db_id db = attach_kind(s, c, "kept.tdb", db_kind::persistent);
      commit_now(s, c, db, with(keys, "old"));
      auto end = std::make_shared<bool>(false);
      replace_plan p{.db = db, .name = "kept.tdb", .kind = db_kind::persistent};
      if (restore) p.feed = feed(db, with(keys, "new"), pnn{0}, 70);
      replace_content(c, std::move(p), [end](const auto&) { *end = true; });
      const auto until = s.loop_now() + after;
      s.run([&] { return s.loop_now() >= until; }, after);
      late = *end;
      early |= !late;
      c.close();
      REQUIRE(s.settle(5s));
      const auto found = everywhere(s, db, keys);
      CHECK((found == with(keys, "old") || found == (restore ? with(keys, "new") : contents{})));
      auto& next = s.connect(1);
      commit_now(s, next, db, with(keys, "later"));
      CHECK(everywhere(s, db, keys) == with(keys, "later"));
    }
    CHECK(early);
    CHECK(late);
  }
}

TEST_CASE(
    "a node is lost while a database is replaced: the client is told, and it is old or new on "
    "all") {
  bool failed = false;
  for (duration after = 0us; after < 8ms; after += 500us) {
    CAPTURE(after.count());
    sim_cluster s(3);
    REQUIRE(s.settle(20s));
    auto& c = s.connect(0);
    const auto keys = names(4);
    const db_id db = attach_kind(s, c, "kept.tdb", db_kind::persistent);
    commit_now(s, c, db, with(keys, "old"));
    std::optional<result<replaced_content>> end;
    replace_content(c,
                    {.db = db,
                     .name = "kept.tdb",
                     .kind = db_kind::persistent,
                     .feed = feed(db, with(keys, "new"), pnn{0}, 70)},
                    [&](const auto& r) { end = r; });
    const auto until = s.loop_now() + after;
    s.run([&] { return s.loop_now() >= until; }, after);
    s.kill(2);
    REQUIRE(s.run([&] { return end.has_value(); }, 30s));
    failed |= !end->has_value();
    REQUIRE(s.settle(20s));
    s.start(2);
    REQUIRE(s.settle(30s));
    const auto found = everywhere(s, db, keys);
    CHECK((found == with(keys, "old") || found == with(keys, "new")));
    if (end->has_value()) CHECK(found == with(keys, "new"));
  }
  CHECK(failed);
}

namespace {

/// The steps of a tool, one by one.
struct tool {
  sim_cluster& s;
  client& c;
  db_id db;
  generation gen = generation::invalid;

  tool(sim_cluster& on, client& by, db_id of) : s(on), c(by), db(of), gen(now()) {}
  generation now() {
    const auto map = finish<generation>(s, [&](auto done) {
      c.control<control::getvnnmap>(pnn::current, {}, 5s,
                                    [done](const auto& r) { done(r->value.generation); });
    });
    return *map;
  }
  bytes transaction() const { return wire::encode(transdb{.db_id = db, .tid = gen}); }
  bytes id() const { return wire::encode(number(db)); }
  bool one(std::size_t n, control opcode, const bytes& data) {
    return ask_any(s, c, opcode, data, {.of = pnn{static_cast<std::uint32_t>(n)}}).has_value();
  }
  bool all(control opcode, const bytes& data) {
    bool good = true;
    for (std::size_t n = 0; n < s.size(); ++n) good &= one(n, opcode, data);
    return good;
  }
  bool up_to_wipe() {
    return all(control::db_freeze, id()) && all(control::db_transaction_start, transaction()) &&
           all(control::wipe_database, transaction());
  }
};

/// A cluster at rest with old records in a volatile database, and a tool at one of its nodes.
struct before_a_tool {
  sim_cluster s{3};
  client& c;
  const std::vector<bytes> keys = names(5);
  db_id db{0};
  std::optional<tool> t;

  explicit before_a_tool(std::uint32_t at) : c(connected(at)) {
    db = attach_now(s, c, "loose.tdb");
    for (const auto& k : keys) write_now(s, c, db, k, "old");
    t.emplace(s, c, db);
  }
  client& connected(std::uint32_t at) {
    REQUIRE(s.settle(20s));
    return s.connect(at);
  }
};

}  // namespace

TEST_CASE(
    "a replaced content gets a generation of its own before anybody is served, whoever's tool it "
    "was") {
  before_a_tool b(1);
  auto& [s, c, keys, db, used] = b;
  auto& t = *used;
  const auto before = t.gen;
  REQUIRE(t.up_to_wipe());
  REQUIRE(t.all(control::db_transaction_commit, t.transaction()));
  CHECK(t.now() == before);
  // nobody else throws away what was put there
  CHECK_FALSE(t.one(2, control::db_transaction_start, t.transaction()));
  // the answer comes when all is over: a script goes on with the next database
  REQUIRE(t.all(control::db_thaw, t.id()));
  CHECK(s.normal());
  CHECK(t.now() != before);
  CHECK(everywhere(s, db, keys).empty());
  tool next(s, c, db);
  CHECK(next.up_to_wipe());
  CHECK(next.all(control::db_transaction_commit, next.transaction()));
  CHECK(next.all(control::db_thaw, next.id()));
  CHECK(s.normal());
}

TEST_CASE(
    "what was committed on one node only is everybody's, and only what its client has begun is "
    "committed") {
  for (const auto kind : {db_kind::volatile_db, db_kind::persistent, db_kind::replicated}) {
    CAPTURE(static_cast<int>(kind));
    sim_cluster s(3);
    REQUIRE(s.settle(20s));
    auto& c = s.connect(0);
    const auto keys = names(5);
    const db_id db = attach_kind(s, c, "some.tdb", kind);
    if (kind == db_kind::volatile_db)
      for (const auto& k : keys) write_now(s, c, db, k, "old");
    else
      commit_now(s, c, db, with(keys, "old"));
    tool t(s, c, db);
    auto& other = s.connect(2);
    tool late(s, other, db);
    REQUIRE(t.up_to_wipe());
    CHECK_FALSE(late.one(1, control::db_transaction_commit, late.transaction()));
    CHECK_FALSE(late.one(1, control::wipe_database, late.transaction()));
    REQUIRE(late.one(2, control::db_transaction_start, late.transaction()));
    CHECK_FALSE(t.one(2, control::db_transaction_commit, t.transaction()));
    REQUIRE(t.one(1, control::db_transaction_commit, t.transaction()));
    c.close();
    REQUIRE(s.run([&] { return !s.normal(); }, 1s));
    REQUIRE(s.settle(20s));
    CHECK(everywhere(s, db, keys).empty());
  }
}

TEST_CASE(
    "a recovery that has begun lets nothing be put in the place of a content; nor does another "
    "generation") {
  before_a_tool b(0);
  auto& [s, c, keys, db, used] = b;
  auto& t = *used;
  REQUIRE(t.up_to_wipe());
  c.control<control::set_recmode>(pnn::current, recovery_mode::active, 5s, [](const auto&) {});
  REQUIRE(s.run([&] { return !s.normal(); }, 1s));
  CHECK_FALSE(t.all(control::db_transaction_commit, t.transaction()));
  REQUIRE(s.settle(20s));
  CHECK(t.now() != t.gen);
  CHECK_FALSE(t.up_to_wipe());  // under the one of before
  REQUIRE(t.all(control::db_thaw, t.id()));
  for (const auto& k : keys) CHECK(read_now(s, c, db, k).data == "old");
}

TEST_CASE(
    "a wiped content does not come back with a node that was not there, though its numbers are "
    "higher") {
  for (const auto kind : {db_kind::persistent, db_kind::replicated}) {
    sim_cluster s(3);
    REQUIRE(s.settle(20s));
    auto& c = s.connect(0);
    const auto keys = names(4);
    const db_id db = attach_kind(s, c, "kept.tdb", kind);
    for (int i = 0; i < 5; ++i) commit_now(s, c, db, with(keys, "old" + std::to_string(i)));
    CHECK(seqnum(s, 0, db) == 5);
    if (kind == db_kind::persistent)
      s.kill(2);
    else
      s.hang(2);
    bool done = false;  // it is refused as long as a member of the map is missing
    for (int i = 0; i < 300 && !done; ++i) {
      done = replace_now(s, c, {.db = db, .name = "kept.tdb", .kind = kind}).has_value();
      if (!done) pass(s, 100ms);
    }
    REQUIRE(done);
    CHECK(seqnum(s, 0, db) == 6);
    if (kind == db_kind::persistent)
      s.start(2);
    else
      s.net().heal();
    REQUIRE(s.settle(60s));
    CHECK(everywhere(s, db, keys).empty());
    CHECK(commit_now(s, c, db, with(keys, "new")).seqnum == 7);
    CHECK(everywhere(s, db, keys) == with(keys, "new"));
  }
}
