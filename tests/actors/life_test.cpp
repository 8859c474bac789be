// Each start of a node is a life of its own, with the next number.
#include "actors/recovery/life.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "actors/sim/scratch.hpp"

using namespace floe;

TEST_CASE("lives count up from any number, and a file that makes no sense begins anew") {
  const scratch_directory dir;
  const auto path = dir.path().string();
  CHECK(begin_life(path, 41).number == 41);
  CHECK(begin_life(path, 7).number == 42);
  CHECK(begin_life(path, 7).number == 43);
  for (const char* text : {"", "x", "-1\n", "44", "44 \n", "99999999999\n"}) {
    std::ofstream(path + "/life", std::ios::trunc) << text;
    const auto life = begin_life(path, 7);
    CHECK(life.number == 7);
    CHECK(life.error.empty());
    CHECK(begin_life(path, 0).number == 8);
  }
}

TEST_CASE("a life that cannot be written down is told") {
  const scratch_directory dir;
  const auto life = begin_life((dir.path() / "not there").string(), 7);
  CHECK(life.number == 7);
  CHECK(life.error.find("not there/life") != std::string::npos);
  CHECK(begin_life("", 7).error.empty());
}
