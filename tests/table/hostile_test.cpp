/// A client that writes anything anywhere into the shared memory, at any time. The node must go on: it may drop slots and
/// lose what was stored in them, and nothing else. Seeds that are always the same; the fuzzer of tests/fuzz looks for others.
#include <doctest/doctest.h>

#include <random>

#include "tests/table/hostile_world.hpp"

using floe::table_test::hostile_world;

TEST_CASE("whatever is written into the memory, the node lives, and a new record is whole") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 chance(seed);
    hostile_world w([&] { return chance(); });
    for (int i = 0; i < 2000; ++i) w.step();
    w.end();
    CHECK(w.broken() == "");
  }
}
