/// How long a record stays in the record table while others wait for it.
#include <doctest/doctest.h>

#include "protocol/rules/hot_record.hpp"

using namespace floe;
using namespace std::chrono_literals;

TEST_CASE("a record whose use is not known, or that is locked again and again, is given time") {
  CHECK(stay_allowed(std::nullopt, 3ms) == 3ms);
  CHECK(stay_allowed(stay_history{.locks = locks_of_a_stream}, 3ms) == 3ms);
  CHECK(stay_allowed(stay_history{.locks = 1}, 3ms) == 0ms);
}

TEST_CASE("one that is wanted once at a time is tried again now and then") {
  std::optional<stay_history> h = after_stay(std::nullopt, 1, 3ms);
  std::uint32_t cut = 0;
  while (stay_allowed(h, 3ms) == 0ms) {
    h = after_stay(h, 1, 0ms);
    ++cut;
    REQUIRE(cut <= stays_until_next_try);
  }
  CHECK(cut == stays_until_next_try);
  // the try has shown nothing new
  h = after_stay(h, 1, 3ms);
  CHECK(stay_allowed(h, 3ms) == 0ms);
}

TEST_CASE("other nodes wait for the allowed time at most, local requests not at all") {
  const time_point start{};
  CHECK(!recall_at({}, start + 1s, start, 3ms));
  CHECK(recall_at({.peers = true}, start + 1ms, start, 3ms) == start + 3ms);
  CHECK(recall_at({.peers = true}, start + 5ms, start, 3ms) == start + 5ms);
  CHECK(recall_at({.peers = true}, start + 1ms, start, 0ms) == start + 1ms);
  CHECK(recall_at({.peers = true, .locals = true}, start + 1ms, start, 3ms) == start + 1ms);
}
