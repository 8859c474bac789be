/// The sketch of hot keys against an exact count.
#include "protocol/rules/hot_keys.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace floe;
using namespace std::chrono_literals;

TEST_CASE("hot keys: the hottest of very many are found, with their rates, in their order") {
  hot_keys hot;
  std::mt19937_64 chance(7);
  time_point now{};
  for (int i = 0; i < 60'000; ++i) {  // 1000 journeys per second for a minute
    now += 1ms;
    const auto draw = chance() % 100;
    if (draw < 20)
      hot.count("hottest", now, 3);
    else if (draw < 30)
      hot.count("second", now);
    else
      hot.count("cold" + std::to_string(chance() % 1'000'000), now);
  }
  const auto top = hot.top(10, now);
  REQUIRE(top.size() == 10);
  CHECK(top[0].key == "hottest");
  CHECK(top[0].hops == 3);
  CHECK(top[0].rate > 180);
  CHECK(top[0].rate < 240);
  CHECK(top[1].key == "second");
  CHECK(top[1].rate > 80);
  CHECK(top[2].rate < 40);
}

TEST_CASE("hot keys: what rests cools down and is forgotten; what comes after it is seen") {
  hot_keys hot;
  time_point now{};
  for (int i = 0; i < 1000; ++i) hot.count("past", now);
  CHECK(hot.top(10, now + 10s).front().rate == doctest::Approx(hot.top(10, now).front().rate / 2));
  now += 10min;
  CHECK(hot.top(10, now).empty());
  hot.count("present", now);
  REQUIRE(hot.top(10, now).size() == 1);
  CHECK(hot.top(10, now).front().key == "present");
}
