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
  CHECK_FALSE(kinds.add("a.drill", failed(3, "line 7", "a.drill:7: not within 2 s")));
  CHECK(kinds.text().empty());
  CHECK_FALSE(kinds.add("a.drill", failed(4, "check: kept writes", "a write is lost")));
  CHECK_FALSE(kinds.add("b.drill", failed(4, "line 7", "b.drill:7: no")));
  CHECK(kinds.add("a.drill", failed(9, "line 7", "a.drill:7: not within 2 s, 812 ms late")) == 3);
  const auto text = kinds.text();
  CHECK(text.starts_with("2 times  a.drill: a.drill:7: not within 2 s (seed 3, 9)\n"));
  CHECK(text.find("1 times  b.drill") != text.npos);
}
