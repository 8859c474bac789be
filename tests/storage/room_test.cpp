/// Maps that grow, and what happens when they cannot.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include "storage/room.hpp"
#include "tests/storage/support.hpp"

using namespace floe;
using namespace floe::test;

namespace {

/// Puts until one is refused.
store_error fill(store& s, content& expected, std::size_t length,
                 durability how = durability::committed) {
  for (std::uint64_t n = 0; n < 1000000; ++n) {
    record r = make_record("key" + std::to_string(n), bytes(length, 'x'), n);
    change c = change::put(r);
    if (auto done = s.apply({&c, 1}, how); !done) return done.error();
    expected.put(r);
  }
  FAIL("never full");
  return {};
}

void erase_all(store& s, content& expected) {
  while (!expected.records.empty()) {
    bytes key = expected.records.begin()->first;
    change c = change::erase(key);
    auto done = s.apply({&c, 1}, durability::committed);
    if (!done) FAIL(done.error().text);
    expected.records.erase(key);
  }
}

}  // namespace

TEST_CASE("the map grows under one group, which is committed as a whole") {
  temp_dir dir;
  for (auto kind : {db_kind::volatile_db, db_kind::persistent}) {
    store_options options{
        .kind = kind, .file = dir / "a.ldb", .create_empty = true, .map_initial = 1};
    {
      store s = opened(options);
      auto before = s.stats().value().map_bytes;
      content expected;
      for (int n = 0; n < 3000; ++n) {
        record r = make_record("key" + std::to_string(n), bytes(2000, 'x'));
        REQUIRE(s.put(r.key, r.header, r.data));
        expected.put(r);
      }
      CHECK(s.stats().value().map_bytes > before * 10);
      REQUIRE(same(s, expected));
      CHECK(s.dirty());
    }
    options.create_empty = false;
    store s = opened(options);
    CHECK(s.count() == 0u);
  }
}

TEST_CASE("a value larger than the whole map") {
  temp_dir dir;
  store s = opened({.file = dir / "a.ldb", .create_empty = true});
  bytes large;
  large.assign(40'000'000, 'x');
  REQUIRE(s.put("small", {}, "1"));
  REQUIRE(s.put("large", {}, large));
  REQUIRE(s.flush());
  CHECK(s.get("large").value()->data == large);
  CHECK(s.get("small").value()->data == "1");
}

TEST_CASE("at its limit a store refuses records, keeps everything, and lets delete") {
  for (auto kind : {db_kind::volatile_db, db_kind::persistent})
    for (std::size_t length : {std::size_t{10}, std::size_t{300}, std::size_t{5000}}) {
      if (kind == db_kind::persistent && length == 10) continue;  // thousands of waits for the disk
      temp_dir dir;
      store s =
          opened({.kind = kind, .file = dir / "a.ldb", .create_empty = true, .map_limit = 600'000});
      for (int round = 0; round < 2; ++round) {
        content expected;
        auto refused = fill(s, expected, length);
        CHECK(refused.code == store_errc::full_map);
        CHECK(refused.cause != 0);
        CHECK(expected.records.size() * length > 30'000);
        REQUIRE(same(s, expected));
        erase_all(s, expected);
        REQUIRE(s.count() == 0u);
      }
    }
}

TEST_CASE("a full disk refuses records, keeps everything, and lets delete: faults seam") {
  temp_dir dir;
  scripted_faults faults;
  class no_more_space final : public disk_faults {
   public:
    int check(disk_op op, std::uint64_t) override {
      return op == disk_op::reserve && full ? ENOSPC : 0;
    }
    bool full = false;
  } disk;
  store s = opened({.file = dir / "a.ldb", .create_empty = true, .faults = &disk});
  disk.full = true;
  content expected;
  auto refused = fill(s, expected, 200, durability::grouped);
  CHECK(refused.code == store_errc::full_disk);
  CHECK(refused.cause == ENOSPC);
  REQUIRE(same(s, expected));
  // The group that was refused one more record commits.
  REQUIRE(s.flush());
  REQUIRE(same(s, expected));
  CHECK_FALSE(s.put("one more", {}, bytes(200, 'x')));
  CHECK_FALSE(has_room(s, 200));
  disk.full = false;
  CHECK(has_room(s, 200));
  CHECK_FALSE(has_room(s, std::uint64_t{1} << 50));
  REQUIRE(s.put("one more", {}, bytes(200, 'x')));
  REQUIRE(s.flush());
  expected.put(make_record("one more", bytes(200, 'x'), 0));
  disk.full = true;
  expected.records.erase("one more");
  REQUIRE(s.erase("one more"));
  REQUIRE(s.flush());
  erase_all(s, expected);
  CHECK(s.count() == 0u);
}

TEST_CASE("a file system that is really full") {
  for (std::string kind : {"volatile", "persistent"}) {
    temp_dir dir;
    auto [text, status] = finish_child(start_child({"fill", kind, dir.path()}));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
      MESSAGE("not permitted to mount a small file system: only the faults seam was tested");
      return;
    }
    INFO(kind << ": " << text);
    CHECK(status == 0);
  }
}

TEST_CASE("no space for the first reservation: nothing is left behind") {
  temp_dir dir;
  scripted_faults faults;
  faults.set_full(true);
  auto refused = store::open({.file = dir / "a.ldb", .create_empty = true, .faults = &faults});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == store_errc::full_disk);
  CHECK(std::filesystem::is_empty(dir.path()));
}

TEST_CASE("open says what is in its way") {
  temp_dir dir;
  auto code = [](const store_options& options) {
    auto made = store::open(options);
    REQUIRE_FALSE(made.has_value());
    return made.error().code;
  };
  CHECK(code({.file = dir / "no such folder/a.ldb"}) == store_errc::denied);
  std::filesystem::create_directory(dir / "folder");
  CHECK(code({.file = dir / "folder"}) == store_errc::denied);
  scripted_faults faults;
  faults.fail(disk_op::open, 1, EMFILE);
  CHECK(code({.file = dir / "a.ldb", .faults = &faults}) == store_errc::no_resources);
}

TEST_CASE("a file of another version is refused and left as it is") {
  temp_dir dir;
  store_options options{.kind = db_kind::persistent, .file = dir / "a.ldb"};
  {
    store s = opened(options);
    REQUIRE(s.set_meta("floe.format", bytes("\2\0\0\0", 4)));
    REQUIRE(s.flush());
  }
  auto size = std::filesystem::file_size(options.file);
  auto refused = store::open(options);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == store_errc::wrong_format);
  CHECK(std::filesystem::file_size(options.file) == size);
}
