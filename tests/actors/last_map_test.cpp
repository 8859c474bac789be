/// What a node keeps of its last map when its process ends.
#include "actors/node/membership/last_map.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "actors/sim/scratch.hpp"
#include "protocol/rules/lineage.hpp"

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

constexpr pnn n0{0}, n1{1}, n2{2};

}  // namespace

TEST_CASE("the last map is there again after a restart") {
  const state_folder s;
  REQUIRE(read_last_map(s.path));
  CHECK_FALSE(*read_last_map(s.path));
  const last_map one{.members = {n0, n2, pnn{11}}, .latest = generation{0x80041000}};
  REQUIRE(write_last_map(s.path, one));
  CHECK(s.text() == "members 0 2 11\nlatest 2147749888\n");
  REQUIRE(read_last_map(s.path));
  CHECK(*read_last_map(s.path) == one);
  const last_map other{.members = {n1}, .latest = generation::invalid};
  REQUIRE(write_last_map(s.path, other));
  CHECK(*read_last_map(s.path) == other);
  CHECK(std::distance(std::filesystem::directory_iterator(s.path), {}) == 1);
}

TEST_CASE("a file that is no last map is an error, never \"nobody\"") {
  const state_folder s;
  for (const auto* text :
       {"", "members 0 1\n", "members\nlatest 1\n", "members 0 1\nlatest 1",
        "members 0,1\nlatest 1\n", "members 0 x\nlatest 1\n", "members 99999999999\nlatest 1\n",
        "members -1\nlatest 1\n", "nodes 0\nlatest 1\n", "members  1\nlatest 1\n",
        "members 1\nlatest\n", "members 1\nlatest 1 2\n", "members 1\nlatest 1\nmore\n"}) {
    CAPTURE(text);
    s.put(text);
    CHECK_FALSE(read_last_map(s.path));
  }
}

TEST_CASE("what cannot be written leaves what there was") {
  const state_folder s;
  const last_map before{.members = {n0, n1}, .latest = generation{0x80041000}};
  REQUIRE(write_last_map(s.path, before));
  std::filesystem::create_directories(s.file + ".new/in-the-way");
  CHECK_FALSE(write_last_map(s.path, {.members = {n2}}));
  CHECK(*read_last_map(s.path) == before);
  CHECK_FALSE(write_last_map(s.path + "/nowhere", {.members = {n2}}));
}

TEST_CASE("it is written for other members, and when the numbers that it reserves are used up") {
  last_map kept;
  auto gen = next_generation({}, 5);
  const auto first = to_be_kept(kept, gen, std::vector{n2, n0, n2});
  REQUIRE(first);
  CHECK(first->members == std::vector{n0, n2});
  CHECK(is_later(first->latest, gen));
  kept = *first;
  CHECK_FALSE(to_be_kept(kept, gen, std::vector{n0, n2}));
  CHECK(to_be_kept(kept, gen, std::vector{n0}));
  unsigned written = 0;
  for (unsigned recovery = 0; recovery < 640; ++recovery) {
    gen = next_generation(std::array{gen}, recovery);
    if (const auto next = to_be_kept(kept, gen, std::vector{n0, n2})) {
      kept = *next;
      ++written;
    }
    CHECK(is_later(kept.latest, gen));
  }
  CHECK(written <= 10);
  // the number of a ctdbd has no order
  const auto drawn = to_be_kept({}, generation{1234567}, std::vector{n0});
  REQUIRE(drawn);
  CHECK(drawn->latest == generation::invalid);
}

TEST_CASE("who keeps it") {
  CHECK(keeps_last_map(quorum_rule::majority, ""));
  CHECK(keeps_last_map(quorum_rule::lock, "/shared/lock"));
  CHECK_FALSE(keeps_last_map(quorum_rule::lock, ""));
  CHECK_FALSE(keeps_last_map(quorum_rule::none, "/shared/lock"));
}
