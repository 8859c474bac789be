#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "storage/health.hpp"
#include "tests/storage/support.hpp"

using namespace floe;
using namespace floe::test;
using namespace std::chrono_literals;

namespace {

const std::array<std::string, 3> check_command{"/proc/self/exe", "--child", "check"};

/// A file with some history: records of all sizes, metadata, free pages.
void make_file(const std::filesystem::path& file, content& expected) {
  random_source random(7);
  store s = opened({.kind = db_kind::persistent, .file = file});
  for (int n = 0; n < 400; ++n) {
    record r{some_key(random), some_header(random), some_data(random)};
    REQUIRE(s.put(r.key, r.header, r.data));
    expected.put(r);
    if (n % 100 == 0) REQUIRE(s.flush());
  }
  for (int n = 0; n < 100; ++n) {
    auto at = std::next(expected.records.begin(),
                        static_cast<long>(below(random, expected.records.size())));
    REQUIRE(s.erase(at->first));
    expected.records.erase(at);
  }
  REQUIRE(s.set_meta("generation", "8"));
  REQUIRE(s.flush());
}

void write_at(const std::filesystem::path& file, std::uint64_t at, const bytes& what) {
  int fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  REQUIRE(pwrite(fd, what.data(), what.size(), static_cast<off_t>(at)) ==
          static_cast<ssize_t>(what.size()));
  ::close(fd);
}

health_report checked(const std::filesystem::path& file) {
  auto report = check_file_in_child(check_command, file, 30s);
  if (!report) FAIL(report.error().text);
  return *report;
}

}  // namespace

TEST_CASE("what is no file is neither read nor opened, which might wait for ever") {
  temp_dir dir(temp_dir::where::disk);
  REQUIRE(::mkfifo((dir / "fifo").c_str(), 0600) == 0);
  std::filesystem::create_directory(dir / "directory");
  std::filesystem::create_symlink("/dev/zero", dir / "device");
  for (const auto& [file, kind] : {std::pair{"fifo", "it is a FIFO"},
                                   {"directory", "it is a directory"},
                                   {"device", "it is a device"}}) {
    auto report = checked(dir / file);
    CHECK_FALSE(report.sound);
    CHECK(report.finding == kind);
    auto store = store::open({.kind = db_kind::persistent, .file = dir / file});
    REQUIRE_FALSE(store.has_value());
    CHECK(store.error().text.ends_with(kind));
  }
  auto store = store::open({.kind = db_kind::persistent, .file = dir / "new"});
  CHECK(store.has_value());
}

TEST_CASE("a sound file is found sound, in this process and in a child") {
  temp_dir dir(temp_dir::where::disk);
  content expected;
  make_file(dir / "a.ldb", expected);
  auto here = check_file(dir / "a.ldb");
  REQUIRE(here.has_value());
  INFO(here->finding);
  CHECK(here->sound);
  CHECK(here->records == expected.records.size());
  auto there = checked(dir / "a.ldb");
  CHECK(there.sound);
  CHECK(there.records == expected.records.size());
}

TEST_CASE("a changed byte of a record is found, and is never shown as a record") {
  temp_dir dir(temp_dir::where::disk);
  auto file = dir / "a.ldb";
  auto data_of = [](int n) { return "needle " + std::to_string(n) + " in the haystack"; };
  {
    store s = opened({.kind = db_kind::persistent, .file = file});
    for (int n = 100; n < 200; ++n) REQUIRE(s.put(std::to_string(n), {}, data_of(n)));
    REQUIRE(s.flush());
  }
  std::ifstream in(file, std::ios::binary);
  std::string whole((std::istreambuf_iterator<char>(in)), {});
  int places = 0;  // pages out of use may hold it, too
  for (auto at = whole.find(data_of(150)); at != std::string::npos;
       at = whole.find(data_of(150), at + 1)) {
    write_at(file, at, "N");
    ++places;
  }
  REQUIRE(places > 0);
  auto report = checked(file);
  CHECK_FALSE(report.sound);
  CHECK(report.finding == "record with wrong sum");

  store s = opened({.kind = db_kind::persistent, .file = file});
  for (int n = 100; n < 200; ++n) {
    auto found = s.get(std::to_string(n));
    REQUIRE(found.has_value() == (n != 150));
    if (found) REQUIRE(found->value().data == data_of(n));
    if (!found) CHECK(found.error().code == store_errc::corrupt);
  }
  int shown = 0;
  auto scanned = s.scan({}, [&](const record_view& r) { return r.data == data_of(100 + shown++); });
  REQUIRE_FALSE(scanned.has_value());
  CHECK(scanned.error().code == store_errc::corrupt);
  CHECK(shown == 50);
}

TEST_CASE("random damage is found, or does not matter") {
  temp_dir dir(temp_dir::where::disk);
  auto file = dir / "a.ldb", copy = dir / "copy.ldb";
  content expected;
  make_file(file, expected);
  auto size = std::filesystem::file_size(file);
  random_source random(8);
  int found = 0;
  for (int round = 0; round < 60; ++round) {
    CAPTURE(round);
    std::filesystem::copy_file(file, copy, std::filesystem::copy_options::overwrite_existing);
    switch (round % 4) {
      case 0: write_at(copy, below(random, size), random_bytes(random, 1)); break;
      case 1:
        write_at(copy, 4096 * (2 + below(random, size / 4096 - 2)), random_bytes(random, 4096));
        break;
      case 2: write_at(copy, 4096 * (2 + below(random, size / 4096 - 2)), bytes(4096, '\0')); break;
      default: std::filesystem::resize_file(copy, below(random, size / 4096) * 4096); break;
    }
    auto report = checked(copy);
    if (!report.sound) {
      CHECK_FALSE(report.finding.empty());
      ++found;
      continue;
    }
    // What passes holds every record as it was: the damage hit a free page, or changed nothing.
    store s = opened({.kind = db_kind::persistent, .file = copy});
    REQUIRE(same(s, expected));
    { store closed = std::move(s); }
    std::filesystem::remove(copy.string() + "-lock");
  }
  CHECK(found > 15);
}

TEST_CASE("files that are no databases") {
  temp_dir dir(temp_dir::where::disk);
  std::ofstream(dir / "empty").flush();
  std::ofstream(dir / "text") << std::string(20000, 'x');
  CHECK(checked(dir / "empty").finding == "file is empty");
  CHECK_FALSE(checked(dir / "text").sound);
  CHECK(store::open({.kind = db_kind::persistent, .file = dir / "text"}).error().code ==
        store_errc::corrupt);
}

TEST_CASE("what kept the check from looking is not damage") {
  temp_dir dir(temp_dir::where::disk);
  CHECK(check_file(dir / "missing").error().code == store_errc::denied);
  CHECK(check_file_in_child(check_command, dir / "missing", 30s).error().code ==
        store_errc::denied);
  std::array<std::string, 1> nothing{"/no/such/program"};
  CHECK(check_file_in_child(nothing, dir / "missing", 30s).error().code == store_errc::denied);
  std::array<std::string, 3> other{"/proc/self/exe", "--child", "no such child"};
  CHECK(check_file_in_child(other, dir / "missing", 30s).error().code == store_errc::io);
}

TEST_CASE("a check that hangs has met damage") {
  temp_dir dir(temp_dir::where::disk);
  std::array<std::string, 3> hang{"/proc/self/exe", "--child", "hang"};
  auto report = check_file_in_child(hang, dir / "any", 50ms);
  REQUIRE(report.has_value());
  CHECK_FALSE(report->sound);
}

TEST_CASE("a damaged file is set aside under the time, never over another") {
  temp_dir dir(temp_dir::where::disk);
  auto file = dir / "a.ldb";
  auto when = std::chrono::system_clock::from_time_t(1313644583);  // 2011-08-18 05:16:23 UTC
  for (std::string expected :
       {"a.ldb.corrupt.20110818T051623Z", "a.ldb.corrupt.20110818T051623Z-2"}) {
    { store s = opened({.kind = db_kind::persistent, .file = file}); }
    auto aside = set_aside(file, when);
    REQUIRE(aside.has_value());
    CHECK(aside->filename() == expected);
    CHECK(std::filesystem::exists(*aside));
    CHECK_FALSE(std::filesystem::exists(file));
    CHECK_FALSE(std::filesystem::exists(file.string() + "-lock"));
  }
  CHECK(set_aside(file, when).error().code == store_errc::denied);
}
