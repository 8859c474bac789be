#include <doctest/doctest.h>

#include <fstream>

#include "storage/recovery_set.hpp"
#include "tests/storage/support.hpp"

using namespace floe;
using namespace floe::test;

namespace {

content numbered(int count, std::size_t length = 200) {
  content made;
  for (int n = 0; n < count; ++n)
    made.put(
        make_record("key" + std::to_string(n), bytes(length, static_cast<char>('a' + n % 26))));
  return made;
}

}  // namespace

TEST_CASE("replace writes only what differs") {
  temp_dir dir(temp_dir::where::disk);
  store s = opened({.file = dir / "a.ldb", .create_empty = true});
  content expected = numbered(5000);
  auto views = expected.views();
  span_source source(views);
  CHECK(s.replace(source).value() == replace_result{5000, 0, 0});
  REQUIRE(same(s, expected));
  CHECK(s.replace(source).value() == replace_result{0, 5000, 0});
  expected.records.erase("key7");
  expected.put(make_record("key8", "other"));
  expected.put(make_record("key9", bytes(200, 'j'), 2));  // header only
  expected.put(make_record("new", "new"));
  views = expected.views();
  span_source changed(views);
  CHECK(s.replace(changed).value() == replace_result{3, 4997, 1});
  REQUIRE(same(s, expected));
  span_source nothing({});
  CHECK(s.replace(nothing).value() == replace_result{0, 0, 5000});
  CHECK(s.count() == 0u);
}

TEST_CASE("replace refuses a stream that does not ascend, and changes nothing") {
  temp_dir dir(temp_dir::where::disk);
  for (int existing : {0, 10}) {
    store s = opened({.file = dir / "a.ldb", .create_empty = true});
    content expected = numbered(existing);
    REQUIRE(s.bulk_store(expected.views()));
    record a = make_record("a", "1"), b = make_record("b", "2");
    std::vector<record_view> twice{a, b, b}, backwards{b, a};
    for (auto& views : {twice, backwards}) {
      span_source source(views);
      auto refused = s.replace(source);
      REQUIRE_FALSE(refused.has_value());
      CHECK(refused.error().code == store_errc::unsorted);
      REQUIRE(same(s, expected));
    }
  }
}

TEST_CASE("whole-content operations fail as a whole") {
  temp_dir dir(temp_dir::where::disk);
  scripted_faults faults;
  store s = opened({.kind = db_kind::persistent, .file = dir / "a.ldb", .faults = &faults});
  content expected = numbered(500);
  REQUIRE(s.bulk_store(expected.views()));
  auto other = numbered(800, 300);
  auto views = other.views();
  span_source source(views);
  faults.fail(disk_op::write, 400, EIO);
  CHECK(s.replace(source).error().code == store_errc::io);
  REQUIRE(same(s, expected));
  faults.fail(disk_op::write, 400, ENOSPC);
  CHECK(s.bulk_store(views).error().code == store_errc::full_disk);
  REQUIRE(same(s, expected));
  faults.fail(disk_op::flush, 1, EIO);
  CHECK(s.replace(source).error().code == store_errc::io);
  REQUIRE(same(s, expected));
  faults.fail(disk_op::flush, 1, EIO);
  CHECK(s.wipe().error().code == store_errc::io);
  REQUIRE(same(s, expected));
  faults.fail(disk_op::write, 1, ENOSPC);
  CHECK(s.compact().error().code == store_errc::full_disk);
  REQUIRE(same(s, expected));
  faults.fail(disk_op::open, 1, EMFILE);
  CHECK(s.compact().error().code == store_errc::no_resources);
  REQUIRE(same(s, expected));
  CHECK(faults.struck() == 6);
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 2);  // no copies left
  REQUIRE(s.replace(source));
  REQUIRE(same(s, other));
}

TEST_CASE("wipe keeps metadata and leaves no long free list behind") {
  temp_dir dir(temp_dir::where::disk);
  for (auto kind : {db_kind::volatile_db, db_kind::persistent}) {
    store s = opened({.kind = kind, .file = dir / "a.ldb", .create_empty = true});
    REQUIRE(s.bulk_store(numbered(20000).views()));
    REQUIRE(s.set_meta("generation", "7"));
    REQUIRE(s.wipe());
    CHECK(s.count() == 0u);
    CHECK(meta_of(s, "generation") == "7");
    CHECK_FALSE(s.stats().value().compaction_due());
    CHECK(s.stats().value().free_pages < 16);
    REQUIRE(s.put("key", {}, "data"));
    REQUIRE(s.flush());
    CHECK(s.count() == 1u);
  }
}

TEST_CASE("compact gives the space of deleted records back and keeps the rest") {
  temp_dir dir(temp_dir::where::disk);
  for (auto kind : {db_kind::volatile_db, db_kind::persistent}) {
    store_options options{.kind = kind, .file = dir / "a.ldb", .create_empty = true};
    content expected = numbered(20000);
    {
      store s = opened(options);
      REQUIRE(s.bulk_store(expected.views()));
      for (int n = 0; n < 15000; ++n) {
        REQUIRE(s.erase("key" + std::to_string(n)));
        expected.records.erase("key" + std::to_string(n));
      }
      auto before = s.stats().value();
      REQUIRE(s.flush());
      REQUIRE(s.compact());
      auto after = s.stats().value();
      CHECK(after.file_pages < before.file_pages / 2);
      REQUIRE(same(s, expected));
      REQUIRE(s.put("later", {}, "data"));
      REQUIRE(s.flush());
      expected.put(make_record("later", "data", 0));
    }
    options.create_empty = false;
    store s = opened(options);
    REQUIRE(same(s, expected));
  }
}

TEST_CASE("compact keeps the little that is left of much, and there is room to go on") {
  temp_dir dir(temp_dir::where::disk);
  for (const int left : {0, 1, 60}) {
    store s = opened({.kind = db_kind::volatile_db, .file = dir / "a.ldb", .create_empty = true});
    REQUIRE(s.bulk_store(numbered(20000).views()));
    REQUIRE(s.wipe());
    REQUIRE(s.set_meta("generation", "7"));
    content expected;
    for (int n = 0; n < left; ++n) {
      const auto r = make_record("left" + std::to_string(n), bytes(std::size_t(n) * 200, 'x'), 3);
      REQUIRE(s.put(r.key, r.header, r.data));
      expected.put(r);
    }
    REQUIRE(s.flush());
    REQUIRE(s.compact());
    CHECK(s.stats().value().file_pages < 256);
    REQUIRE(same(s, expected));
    CHECK(meta_of(s, "generation") == "7");
    const auto more = numbered(20000);
    REQUIRE(s.bulk_store(more.views()));
    CHECK(s.count() == 20000u + static_cast<unsigned>(left));
  }
}

TEST_CASE("what an interrupted compaction has left is removed") {
  temp_dir dir;
  std::ofstream(dir / "a.ldb.compact") << "half a copy";
  std::ofstream(dir / "a.ldb.compact-lock") << "";
  store s = opened({.kind = db_kind::persistent, .file = dir / "a.ldb"});
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 2);
  REQUIRE(s.compact());
}

TEST_CASE("more keys of one hash than there are slots") {
  temp_dir dir(temp_dir::where::disk);
  store s = opened({.file = dir / "a.ldb", .create_empty = true, .hash = one_hash});
  std::vector<bytes> keys;
  keys.reserve(65537);
  for (int n = 0; n < 65537; ++n) {
    bytes digits = std::to_string(n);
    keys.push_back(bytes(260, 'k') + bytes(5 - digits.size(), '0') + digits);
  }
  std::vector<record_view> views;
  views.reserve(keys.size());
  for (const auto& key : keys) views.push_back({key, {}, {}});
  span_source too_many(views);
  CHECK(s.replace(too_many).error().code == store_errc::unstorable);
  CHECK(s.count() == 0u);
  views.pop_back();
  span_source all(views);
  CHECK(s.replace(all).value().written == 65536);
  CHECK(s.put(keys.back(), {}, "").error().code == store_errc::unstorable);
  REQUIRE(s.erase(keys[30000]));
  REQUIRE(s.put(keys.back(), {}, "found its slot"));
  CHECK(s.get(keys.back()).value()->data == "found its slot");
  CHECK(s.count() == 65536u);
}

TEST_CASE("a persistent store that took a huge transaction goes on") {
  temp_dir dir(temp_dir::where::disk);
  store s = opened({.kind = db_kind::persistent, .file = dir / "a.ldb"});
  content expected = numbered(700, 100'000);
  auto views = expected.views();
  span_source source(views);
  CHECK(s.replace(source).value().written == 700);
  REQUIRE(same(s, expected));
}

TEST_CASE("recovery set: records of which it says nothing can be added") {
  temp_dir dir(temp_dir::where::disk);
  store s = opened({.file = dir / "a.ldb", .create_empty = true});
  const auto of = [](std::uint64_t n) { return record_header{.rsn = rsn{n}}; };
  REQUIRE(s.put("gone", of(1), "x"));
  REQUIRE(s.put("here", of(1), "x"));
  REQUIRE(s.flush());
  recovery_set set;
  const auto brought = std::make_shared<const bytes>("brought gone");
  set.add(brought, std::array{record_view{byte_view(*brought).substr(0, 7), of(5), "of others"}});
  set.erase(byte_view(*brought).substr(8));
  set.add_missing({{"brought", of(9), "own"}, {"gone", of(9), "own"}, {"here", of(9), "own"}});
  CHECK(set.size() == 3);
  REQUIRE(set.apply_difference(s));
  CHECK(s.get("brought").value()->data == "of others");
  CHECK_FALSE(s.get("gone").value().has_value());
  CHECK(s.get("here").value()->data == "own");
}

TEST_CASE(
    "recovery set: what somebody has written is remembered as written, also if nothing is new") {
  temp_dir dir(temp_dir::where::disk);
  store s = opened({.file = dir / "a.ldb", .create_empty = true});
  const auto of = [](std::uint64_t n) { return record_header{.rsn = rsn{n}}; };
  REQUIRE(s.put("back", of(1), "old"));
  REQUIRE(s.put("locked", of(1), "old"));
  s.changes().begin(generation{7});
  recovery_set set;
  set.add({"back", of(5), "old"});
  set.add({"locked", of(5), "old"});
  set.erase("never here");
  for (const byte_view key : {"back", "never here"}) set.somebody_wrote(key);
  REQUIRE(set.apply_difference(s));
  const auto written = [&](byte_view key) {
    const auto marks = s.changes().marks_of(key);
    REQUIRE(marks.size() == 1);
    return marks.front().mark.written;
  };
  CHECK(written("back"));
  CHECK(written("never here"));
  CHECK_FALSE(written("locked"));
}

TEST_CASE(
    "a record that waits elsewhere to be stored is among the changes, as it was at the base") {
  temp_dir dir(temp_dir::where::disk);
  store s = opened({.file = dir / "a.ldb", .create_empty = true});
  REQUIRE(s.put("a", {.rsn = rsn{3}}, "then"));
  s.changes().begin(generation{7});
  const record newer{"a", {.rsn = rsn{4}}, "now"};
  s.note_unstored({&newer, 1});
  CHECK(s.changes().since(generation{7})->contains("a"));
  const auto marks = s.changes().marks_of("a");
  REQUIRE(marks.size() == 1);
  CHECK(marks.front().mark.rsn == rsn{3});
  CHECK(marks.front().mark.data_sum == data_sum("then"));
  CHECK(marks.front().mark.written);
  CHECK(s.get("a").value()->data == "then");
}

TEST_CASE("recovery set: buffers in, the store's content out") {
  random_source random(5);
  for (auto hash : {hash_long_key, four_hashes})
    for (int round = 0; round < 10; ++round) {
      temp_dir dir(temp_dir::where::disk);
      store s = opened({.file = dir / "a.ldb", .create_empty = true, .hash = hash});
      std::vector<bytes> keys = some_keys(random, 200);
      content before(hash), expected(hash);
      for (int i = 0; i < 100; ++i)
        before.put({keys[below(random, keys.size())], some_header(random), some_data(random)});
      REQUIRE(s.bulk_store(before.views()));

      recovery_set set;
      std::uint64_t size_bytes = 0;
      std::size_t size = 0;
      for (int buffer = 0; buffer < 5; ++buffer) {
        std::vector<record> records;
        records.reserve(30);
        for (int i = 0; i < 30; ++i)
          records.push_back(
              {keys[below(random, keys.size())], some_header(random), some_data(random)});
        auto owner = std::make_shared<bytes>();
        for (const auto& r : records) *owner += r.key + r.data;
        std::vector<record_view> views;
        views.reserve(records.size());
        byte_view rest = *owner;
        for (const auto& r : records) {
          views.push_back(
              {rest.substr(0, r.key.size()), r.header, rest.substr(r.key.size(), r.data.size())});
          rest.remove_prefix(r.key.size() + r.data.size());
          expected.put(r);
        }
        size_bytes += owner->size();
        size += views.size();
        set.add(std::move(owner), views);
      }
      CHECK(set.size() == size);
      CHECK(set.size_bytes() == size_bytes);
      for (const auto& key : keys) {
        auto found = set.find(key);
        auto at = expected.records.find(key);
        REQUIRE((found == nullptr) == (at == expected.records.end()));
        if (found != nullptr) REQUIRE(*found == record_view(at->second));
      }
      content both = before;
      for (const auto& [key, r] : expected.records) both.put(r);
      REQUIRE(set.store_into(s));
      REQUIRE(same(s, both));
      change meta = change::set_meta("generation", "8");
      auto result = set.replace_content(s, {&meta, 1});
      REQUIRE(result.has_value());
      CHECK(result->unchanged == expected.records.size());
      REQUIRE(same(s, expected));
      CHECK(meta_of(s, "generation") == "8");
    }
}
