/// Places of things that are taken out by a number: of a loop's timers.
#include "actors/runtime/slots.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>

using namespace floe;

TEST_CASE("numbers grow and are never given out twice, places are used again") {
  slots<std::string> s;
  const auto a = s.put("a"), b = s.put("b");
  CHECK(a != 0);
  CHECK(b > a);
  CHECK(s.take(a) == "a");
  CHECK_FALSE(s.take(a));
  const auto c = s.put("c");
  CHECK(c > b);
  CHECK_FALSE(s.contains(a));
  CHECK(s.contains(c));
  CHECK(s.size() == 2);
  CHECK_FALSE(s.take(0));
}

TEST_CASE("what goes when it is taken may put and take others") {
  slots<std::function<void()>> s;
  std::uint64_t inner = 0;
  const auto outer = s.put([&] {
    for (int i = 0; i < 100; ++i) inner = s.put([] {});
  });
  auto taken = s.take(outer);
  REQUIRE(taken);
  (*taken)();
  CHECK(s.contains(inner));
  CHECK(s.size() == 100);
}
