#include "cli/backup/backup_file.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "protocol/wire/codec.hpp"

using namespace floe;
using namespace floe::cli;

namespace {

namespace fs = std::filesystem;

struct scratch {
  fs::path dir = fs::temp_directory_path() / ("floe-backup-" + std::to_string(::getpid()));
  scratch() { fs::create_directories(dir); }
  ~scratch() { fs::remove_all(dir); }
  std::string file(const char* name) const { return (dir / name).string(); }
};

record_header header(std::uint64_t n) { return {.rsn = rsn{n}, .dmaster = pnn{2}}; }

/// 300 records of a kilobyte: several buffers.
std::string some_backup(const scratch& s) {
  const auto path = s.file("good");
  auto w = backup_writer::create(path, "some.tdb", db_kind::persistent, 1234);
  REQUIRE(w.has_value());
  for (std::uint64_t i = 0; i < 300; ++i)
    REQUIRE(
        w->add({"key" + std::to_string(i), header(i), bytes(1000, static_cast<char>('a' + i % 26))})
            .has_value());
  REQUIRE(w->finish().has_value());
  return path;
}

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}
void write(const std::string& path, const std::string& data) {
  std::ofstream(path, std::ios::binary) << data;
}

/// Records up to the end, or the error.
std::expected<std::size_t, std::string> read_all(const std::string& path) {
  auto r = backup_reader::open(path);
  if (!r) return std::unexpected(r.error());
  std::size_t records = 0;
  for (;;) {
    const auto b = r->next();
    if (!b) return std::unexpected(b.error());
    if (!*b) return records;
    records += wire::decode<rec_buffer>(**b)->count();
  }
}

}  // namespace

TEST_CASE(
    "backup: what is written is read again; the file is its owner's, and nothing else is left") {
  const scratch s;
  const auto path = some_backup(s);
  auto r = backup_reader::open(path);
  REQUIRE(r.has_value());
  CHECK(r->header().name == "some.tdb");
  CHECK(r->header().kind() == db_kind::persistent);
  CHECK(r->header().time == 1234);
  CHECK(r->header().records == 300);
  CHECK(r->header().buffers > 2);
  const auto first = r->next();
  REQUIRE((first.has_value() && first->has_value()));
  const auto records = wire::decode<rec_buffer>(**first);
  const auto one = (*records->begin()).as_record();
  CHECK(one->key == "key0");
  CHECK(one->header == header(0));
  CHECK(one->data == bytes(1000, 'a'));
  CHECK(read_all(path) == 300U);
  struct stat about {};
  REQUIRE(::stat(path.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  CHECK(std::distance(fs::directory_iterator(s.dir), fs::directory_iterator()) == 1);
}

TEST_CASE("backup: an empty database, and one whose writing was given up") {
  const scratch s;
  const auto path = s.file("empty");
  {
    auto w = backup_writer::create(path, "empty.tdb", db_kind::volatile_db, 1);
    REQUIRE(w.has_value());
    REQUIRE(w->finish().has_value());
  }
  CHECK(fs::file_size(path) == 104);
  CHECK(read_all(path) == 0U);
  write(path, "older");
  {
    auto w = backup_writer::create(path, "empty.tdb", db_kind::volatile_db, 1);
    REQUIRE(w->add({"k", header(1), "v"}).has_value());
  }
  CHECK(content(path) == "older");
  CHECK(std::distance(fs::directory_iterator(s.dir), fs::directory_iterator()) == 1);
  CHECK_FALSE(
      backup_writer::create(s.file("no/such/dir"), "a.tdb", db_kind::volatile_db, 1).has_value());
  CHECK_FALSE(
      backup_writer::create(path, std::string(64, 'n'), db_kind::volatile_db, 1).has_value());
}

TEST_CASE("backup: a file that is cut, longer, or says something else of itself is refused") {
  const scratch s;
  const auto good = content(some_backup(s));
  const auto path = s.file("bad");
  const auto refused = [&](const std::string& data) {
    write(path, data);
    const auto r = read_all(path);
    return !r && r.error().find(path) == 0;
  };
  for (std::size_t n = 0; n < good.size(); n += n < 300 ? 1 : 977) {
    CAPTURE(n);
    CHECK(refused(good.substr(0, n)));
  }
  CHECK(refused(good + "x"));
  // version, flags, buffers, records, name; count, length and first record of the first buffer
  for (const std::size_t at :
       {0, 16 + 1, 24, 32, 40, 104 + 4, 104 + 8, 104 + 16, 104 + 24, 104 + 28}) {
    CAPTURE(at);
    auto bad = good;
    bad[at] = at == 40 ? '\0' : static_cast<char>(bad[at] + 5);
    CHECK(refused(bad));
  }
  CHECK_FALSE(read_all(s.file("none")).has_value());
  CHECK_FALSE(read_all(s.dir.string()).has_value());
}
