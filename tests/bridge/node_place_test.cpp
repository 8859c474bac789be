// Which files are databases of a node, found by the small file beside them.
#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "actors/tdb_bridge/node_place.hpp"

using namespace floe;

namespace {

struct folder {
  std::string path;
  folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "floe-place-XXXXXX";
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~folder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path + "/" + name, std::ios::binary) << text;
  }
};

}  // namespace

TEST_CASE("a database is NAME.PNN beside a node's file") {
  const folder f;
  CHECK(!find_database_place(f.path + "/locking.tdb.2"));
  f.write(node_place_file, node_place_text("/run/a socket", 2));
  const auto found = find_database_place(f.path + "/locking.tdb.2");
  REQUIRE(found);
  CHECK(found->socket == "/run/a socket");
  CHECK(found->name == "locking.tdb");
  CHECK(!find_database_place(f.path + "/locking.tdb.12"));
  CHECK(!find_database_place(f.path + "/locking.tdb.3"));
  CHECK(!find_database_place(f.path + "/locking.tdb"));
  CHECK(!find_database_place(f.path + "/.2"));
  CHECK(!find_database_place("locking.tdb.2"));
  CHECK(!find_database_place(""));
}

TEST_CASE("a TDB stays libtdb's, wherever it lies") {
  const folder f;
  f.write(node_place_file, node_place_text("/socket", 0));
  f.write("old.tdb.0", std::string("TDB file\n") + std::string(100, '\0'));
  f.write("new.tdb.0", std::string(100, '\0'));
  CHECK(is_tdb_file(f.path + "/old.tdb.0"));
  CHECK(!find_database_place(f.path + "/old.tdb.0"));
  CHECK(find_database_place(f.path + "/new.tdb.0"));
}

TEST_CASE("nobody waits for a FIFO") {
  const folder f;
  REQUIRE(::mkfifo((f.path + "/a.tdb.0").c_str(), 0600) == 0);
  CHECK(!is_tdb_file(f.path + "/a.tdb.0"));
  REQUIRE(::mkfifo((f.path + "/" + std::string(node_place_file)).c_str(), 0600) == 0);
  CHECK(!find_database_place(f.path + "/a.tdb.0"));
}

TEST_CASE("a file that is not a node's says nothing") {
  const folder f;
  for (const char* text : {"", "socket \npnn 0\n", "socket /s\n", "pnn 0\n", "\0\0\0"}) {
    f.write(node_place_file, text);
    CHECK(!find_database_place(f.path + "/a.tdb.0"));
  }
}
