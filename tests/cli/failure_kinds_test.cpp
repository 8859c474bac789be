#include "cli/command/drill/failure_kinds.hpp"

#include <doctest/doctest.h>

using namespace floe::cli::drill;

namespace {
verdict failed(std::uint64_t seed, std::string at, std::string reason) {
  verdict v;
  v.seed = seed;
  v.reason = std::move(reason);
  v.failed_at = std::move(at);
  return v;
}
}  // namespace

TEST_CASE("failures at the same line are one kind, told once and then by their seeds") {
  failure_kinds kinds;
  CHECK(kinds.add("a.drill", failed(3, "line 7", "a.drill:7: not within 2 s")));
  CHECK(kinds.text().empty());
  CHECK(kinds.add("a.drill", failed(4, "check: kept writes", "a write is lost")));
  CHECK(kinds.add("b.drill", failed(4, "line 7", "b.drill:7: no")));
  for (const std::uint64_t seed : {9, 10, 11, 4})
    CHECK_FALSE(
        kinds.add("a.drill", failed(seed, "line 7", "a.drill:7: not within 2 s, 812 ms late")));
  const auto text = kinds.text();
  CHECK(text.starts_with("5 times  a.drill:7: not within 2 s (seeds 3, 4, 9 to 11)\n"));
  CHECK(text.find("once  a.drill: a write is lost (seed 4)\n") != text.npos);
}
