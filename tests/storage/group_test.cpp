#include <doctest/doctest.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

#include "tests/storage/support.hpp"

using namespace floe;
using namespace floe::test;

TEST_CASE("reads see the open group, a closed store has lost it") {
  temp_dir dir;
  store_options options{.file = dir / "a.ldb", .create_empty = true};
  {
    store s = opened(options);
    REQUIRE(s.put("kept", {.rsn = rsn{1}}, "1"));
    REQUIRE(s.flush());
    REQUIRE(s.put("lost", {.rsn = rsn{2}}, "2"));
    REQUIRE(s.erase("kept"));
    CHECK(s.dirty());
    CHECK(s.get("lost").value()->data == "2");
    CHECK_FALSE(s.get("kept").value().has_value());
    CHECK(s.count() == 1u);
  }
  options.create_empty = false;
  store s = opened(options);
  CHECK(s.get("kept").value()->data == "1");
  CHECK_FALSE(s.get("lost").value().has_value());
}

TEST_CASE("create_empty starts from nothing") {
  temp_dir dir;
  store_options options{.file = dir / "a.ldb", .create_empty = true};
  {
    store s = opened(options);
    REQUIRE(s.put("key", {}, "data"));
    REQUIRE(s.flush());
  }
  store s = opened(options);
  CHECK(s.count() == 0u);
}

TEST_CASE("a refused write leaves the group as it was") {
  temp_dir dir;
  scripted_faults faults;
  store s = opened({.file = dir / "a.ldb", .create_empty = true, .faults = &faults});
  REQUIRE(s.put("a", {}, "1"));
  faults.fail(disk_op::write, 1, ENOSPC);
  auto refused = s.put("b", {}, "2");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == store_errc::full_disk);
  CHECK(refused.error().cause == ENOSPC);
  REQUIRE(s.put("c", {}, "3"));
  REQUIRE(s.flush());
  CHECK(s.get("a").value().has_value());
  CHECK_FALSE(s.get("b").value().has_value());
  CHECK(s.get("c").value().has_value());
}

TEST_CASE("a batch that fails in the middle leaves nothing of itself") {
  temp_dir dir;
  scripted_faults faults;
  store s = opened(
      {.file = dir / "a.ldb", .create_empty = true, .map_limit = 1 << 20, .faults = &faults});
  REQUIRE(s.put("a", {}, "1"));
  bytes large(600000, 'x');
  change batch[] = {change::put("b", {}, "2"), change::put("c", {}, large),
                    change::put("d", {}, large)};
  auto refused = s.apply(batch, durability::grouped);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == store_errc::full_map);
  CHECK(s.get("a").value().has_value());
  CHECK_FALSE(s.get("b").value().has_value());
  CHECK_FALSE(s.get("c").value().has_value());
  auto also_refused = s.apply(batch, durability::committed);
  REQUIRE_FALSE(also_refused.has_value());
  REQUIRE(s.flush());
  CHECK(s.count() == 1u);
}

TEST_CASE("a refused flush loses nothing: the next one commits the group") {
  temp_dir dir;
  scripted_faults faults;
  store_options options{.file = dir / "a.ldb", .create_empty = true, .faults = &faults};
  {
    store s = opened(options);
    REQUIRE(s.put("a", {}, "1"));
    faults.fail(disk_op::flush, 1, EIO);
    auto refused = s.flush();
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == store_errc::io);
    CHECK(refused.error().cause == EIO);
    CHECK(s.get("a").value()->data == "1");
    REQUIRE(s.put("b", {}, "2"));
    REQUIRE(s.flush());
  }
  options.create_empty = false;
  store s = opened(options);
  CHECK(s.count() == 2u);
}

TEST_CASE("a batch whose commit fails has not happened") {
  temp_dir dir;
  scripted_faults faults;
  store s = opened({.kind = db_kind::persistent, .file = dir / "a.ldb", .faults = &faults});
  change first = change::put("key", {.rsn = rsn{1}}, "old");
  REQUIRE(s.apply({&first, 1}, durability::committed));
  change second = change::put("key", {.rsn = rsn{2}}, "new");
  faults.fail(disk_op::flush, 1, EIO);
  auto refused = s.apply({&second, 1}, durability::committed);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == store_errc::io);
  CHECK(s.get("key").value()->data == "old");
  CHECK_FALSE(s.dirty());
}

TEST_CASE("after a flush another thread may go on") {
  temp_dir dir;
  store s = opened({.file = dir / "a.ldb", .create_empty = true});
  for (int round = 0; round < 20; ++round) {
    std::thread([&] {
      bool good = s.put("key" + std::to_string(round), {}, "data") && s.flush();
      REQUIRE(good);
    }).join();
    REQUIRE(s.get("key" + std::to_string(round)).value().has_value());
  }
  // So may it after a flush that was refused.
  scripted_faults faults;
  store t = opened({.file = dir / "b.ldb", .create_empty = true, .faults = &faults});
  REQUIRE(t.put("key", {}, "data"));
  faults.fail(disk_op::flush, 1);
  REQUIRE_FALSE(t.flush());
  bool flushed = false;
  std::thread([&] { flushed = t.get("key").value().has_value() && t.flush().has_value(); }).join();
  CHECK(flushed);
  CHECK(t.count() == 1u);
}

TEST_CASE("a store used wrongly ends the process instead of hanging it later") {
  temp_dir dir;
  auto [text, status] = finish_child(start_child({"misuse", "callback", dir / "a.ldb"}));
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
}

TEST_CASE("killed in the middle: committed pairs are whole, acknowledged ones are there") {
  random_source random(4);
  for (std::string kind : {"persistent", "volatile"})
    for (int round = 0; round < 8; ++round) {
      temp_dir dir(round == 0 ? temp_dir::where::disk : temp_dir::where::memory);
      auto file = dir / "pairs.ldb";
      child_process child = start_child({"pairs", kind, file});
      std::uint64_t acknowledged = 0;
      std::uint64_t enough = 1 + below(random, kind == "persistent" ? 150 : 3000);
      while (acknowledged < enough) {
        std::uint64_t number = 0;
        REQUIRE(read(child.out, &number, sizeof number) == sizeof number);
        acknowledged = number;
      }
      kill(child.pid, SIGKILL);
      auto [rest, status] = finish_child(child);
      REQUIRE(WIFSIGNALED(status));
      if (std::size_t whole = rest.size() / sizeof(std::uint64_t); whole > 0) acknowledged += whole;

      bool persistent = kind == "persistent";
      store s =
          opened({.kind = persistent ? db_kind::persistent : db_kind::volatile_db, .file = file});
      auto latest = s.get("latest");
      REQUIRE(latest.value().has_value());
      std::uint64_t last = std::stoull(latest.value()->data);
      CHECK(last >= acknowledged);
      CHECK(meta_of(s, "latest") == latest.value()->data);
      CHECK(s.count() == 2 * last + 1);
      for (std::uint64_t n = 1; n <= last; ++n) {
        auto a = s.get("a" + std::to_string(n)), b = s.get("b" + std::to_string(n));
        REQUIRE(a.value().has_value());
        REQUIRE(b.value().has_value());
        REQUIRE(a.value()->header.rsn == rsn{n});
        REQUIRE(a.value()->data == b.value()->data);
      }
    }
}
