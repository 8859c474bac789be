/// How long a record stays in the record table while others wait for it.
#include <doctest/doctest.h>

#include "protocol/rules/hot_record.hpp"

using namespace floe;
using namespace std::chrono_literals;

TEST_CASE("a record whose use is not known, or that is locked again and again, is given time") {
  CHECK(stay_allowed(std::nullopt, 3ms) == 3ms);
  CHECK(stay_allowed(stay_history{.locks = locks_of_a_stream}, 3ms) == 3ms);
  CHECK(stay_allowed(after_stay(std::nullopt, 1, 3ms), 3ms) == 0ms);
}

TEST_CASE(
    "where several nodes have streams, stays grow to a bound; two nodes do not drive each other "
    "up") {
  CHECK(most_after(0ms, 3ms) == 3ms);
  CHECK(most_after(10ms, 3ms) == 5ms);
  CHECK(most_after(1s, 3ms) == longest_of_many * 3ms);
  CHECK(most_after(1s, 0ms) == 0ms);
  CHECK(most_after(10s, 50ms) == 100ms);
  CHECK(most_after(10s, 1s) == 1s);
  const auto after_rounds = [](int nodes) {
    duration stay = 3ms;
    for (int round = 0; round < 100; ++round) stay = most_after((nodes - 1) * (stay + 1ms), 3ms);
    return stay;
  };
  CHECK(after_rounds(2) == 3ms);
  CHECK(after_rounds(3) == longest_of_many * 3ms);
}

TEST_CASE("one that is wanted once at a time is tried again, more and more seldom") {
  std::optional<stay_history> h = after_stay(std::nullopt, 1, 3ms);
  for (const std::uint32_t skipped : {1U, 2U, 4U, 8U, 16U, 32U, 64U, 64U}) {
    std::uint32_t cut = 0;
    for (; stay_allowed(h, 3ms) == 0ms; ++cut) h = after_stay(h, 1, 0ms);
    CHECK(cut == skipped);
    CHECK(skipped <= most_stays_until_next_try);
    h = after_stay(h, 1, 3ms);  // the try has shown nothing new
  }
}

TEST_CASE("a stream that did not show in one stay is missed for one more") {
  auto h = after_stay(std::nullopt, 5000, 3ms);
  for (int again = 0; again < 10; ++again) {
    CHECK(stay_allowed(h, 3ms) == 3ms);
    h = after_stay(h, 4, 3ms);
    CHECK(stay_allowed(h, 3ms) == 0ms);
    h = after_stay(h, 4, 0ms);
    CHECK(stay_allowed(h, 3ms) == 3ms);
    h = after_stay(h, 5000, 3ms);
  }
}

TEST_CASE("one of which nothing was known when it left at once is tried late") {
  std::optional<stay_history> h = after_stay(std::nullopt, 1, 0ms);
  std::uint32_t cut = 0;
  for (; stay_allowed(h, 3ms) == 0ms; ++cut) h = after_stay(h, 1, 0ms);
  CHECK(cut == most_stays_until_next_try);
}

TEST_CASE("other nodes wait for the allowed time at most, local requests not at all") {
  const time_point start{};
  const auto at = [&](duration now, table_queue q, duration allowed) {
    // a stream: locked a moment ago
    return recall_at(q, start + now,
                     {.since = start, .allowed = allowed, .still_since = start + now});
  };
  CHECK(!at(1s, {}, 3ms));
  CHECK(at(2900us, {.peers = true}, 3ms) == start + 3ms);
  CHECK(at(5ms, {.peers = true}, 3ms) == start + 5ms);
  CHECK(at(1ms, {.peers = true}, 0ms) == start + 1ms);
  CHECK(at(1ms, {.peers = true, .locals = true}, 3ms) == start + 1ms);
}

TEST_CASE("a record whose stream has ended leaves before its time is over") {
  const time_point start{};
  const table_queue peers{.peers = true};
  stay_so_far s{.since = start, .allowed = 8ms, .locks = 1, .still_since = start};
  CHECK(recall_at(peers, start, s) == start + 1ms);
  s = seen_again(s, 500, start + 1ms);
  CHECK(recall_at(peers, start + 1ms, s) == start + 2ms);
  s = seen_again(s, 500, start + 2ms);
  CHECK(recall_at(peers, start + 2ms, s) == start + 2ms);
  s.pinned_until = start + 20ms;
  CHECK(recall_at(peers, start + 2ms, s) == start + 20ms);
  CHECK(time_given(s) == 20ms);
}

TEST_CASE(
    "whoever has the first lock and gets no processor takes nothing of the time, and shows "
    "nothing") {
  const time_point start{};
  const table_queue peers{.peers = true};
  stay_so_far s{.since = start, .allowed = 8ms, .still_since = start};
  s = seen_again(s, 0, start + 20ms, 0, true);  // granted when it came, and held since then
  CHECK(recall_at(peers, start + 20ms, s) == start + 21ms);
  s = seen_again(s, 300, start + 21ms, 0, true);
  CHECK(recall_at(peers, start + 21ms, s) == start + 22ms);
  // later holders have the time that is left
  s = seen_again(s, 302, start + 28ms, 0, true);
  CHECK(recall_at(peers, start + 28ms, s) == start + 28ms);
}

TEST_CASE(
    "a stay that was busy all the time with few locks does not tell that there is no stream") {
  const time_point start{};
  stay_so_far s{.since = start, .allowed = 8ms, .still_since = start};
  s = seen_again(s, 2, start + 8ms, 0, true);
  const auto few = after_stay(std::nullopt, 3, 8ms);
  CHECK(!tells_of_use(called_back(s, start + 8ms), few));
  CHECK(tells_of_use(called_back(s, start + 8ms), after_stay(std::nullopt, 8, 8ms)));
  CHECK(tells_of_use(called_back(s, start + 9ms), few));  // it was still
  CHECK(tells_of_use(s, few));                            // nobody called it back
  s.allowed = 0ms;                                        // it was given no time
  CHECK(tells_of_use(called_back(s, start + 8ms), few));
}

TEST_CASE("a record that is read without a pause is in a stream, though nobody counts the reads") {
  const time_point start{};
  const table_queue peers{.peers = true};
  stay_so_far s{.since = start, .allowed = 8ms, .locks = 1, .still_since = start};
  s = seen_again(s, 1, start + 1ms, 1);
  CHECK(recall_at(peers, start + 1ms, s) == start + 2ms);
  s = seen_again(s, 1, start + 2ms, 1);
  CHECK(recall_at(peers, start + 2ms, s) == start + 2ms);
  CHECK(stay_allowed(after_stay(std::nullopt, 1, 8ms, reads_of_a_stream), 8ms) == 8ms);
  CHECK(stay_allowed(after_stay(std::nullopt, 1, 8ms, 1), 8ms) == 0ms);
}
