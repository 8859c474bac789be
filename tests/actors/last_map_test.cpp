/// The file in which a node keeps the members of its last map.
#include "actors/node/membership/last_map.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "actors/sim/scratch.hpp"

using namespace floe;

namespace {

struct state_folder {
  scratch_directory place;
  std::string path = (place.path() / "state").string();
  std::string file = path + "/last-map";

  state_folder() { std::filesystem::create_directories(path); }

  void put(const std::string& text) const { std::ofstream(file) << text; }
  std::string text() const {
    std::ostringstream all;
    all << std::ifstream(file).rdbuf();
    return all.str();
  }
};

}  // namespace

TEST_CASE("the members of the last map are there again after a restart") {
  const state_folder s;
  REQUIRE(read_last_map(s.path));
  CHECK_FALSE(*read_last_map(s.path));
  REQUIRE(write_last_map(s.path, members_of(std::vector{pnn{2}, pnn{0}, pnn{2}, pnn{11}})));
  CHECK(s.text() == "members 0 2 11\n");
  REQUIRE(read_last_map(s.path));
  CHECK(*read_last_map(s.path) == std::vector{pnn{0}, pnn{2}, pnn{11}});
  REQUIRE(write_last_map(s.path, std::vector{pnn{1}}));
  CHECK(*read_last_map(s.path) == std::vector{pnn{1}});
  CHECK(std::distance(std::filesystem::directory_iterator(s.path), {}) == 1);
}

TEST_CASE("a file that is no list of members is an error, never \"nobody\"") {
  const state_folder s;
  for (const auto* text : {"", "members\n", "members 0 1", "members 0,1\n", "members 0 x\n",
                           "members 99999999999\n", "members -1\n", "nodes 0\n", "members  1\n"}) {
    CAPTURE(text);
    s.put(text);
    CHECK_FALSE(read_last_map(s.path));
  }
}

TEST_CASE("what cannot be written leaves what there was") {
  const state_folder s;
  REQUIRE(write_last_map(s.path, std::vector{pnn{0}, pnn{1}}));
  std::filesystem::create_directories(s.file + ".new/in-the-way");
  CHECK_FALSE(write_last_map(s.path, std::vector{pnn{2}}));
  CHECK(*read_last_map(s.path) == std::vector{pnn{0}, pnn{1}});
  CHECK_FALSE(write_last_map(s.path + "/nowhere", std::vector{pnn{2}}));
}
