#include "cli/transaction_input.hpp"

#include <doctest/doctest.h>

using namespace floe;
using namespace floe::cli;

TEST_CASE("pairs of a transaction: quotes, blanks, octets, deletions") {
  const auto p = parse_transaction(
      "\"k1\" \"v 1\"\n\n  \t\"k2\"\t\"\"\n\"0x6b33\"\"0x00ff\" \n\"only a key\"\n\"last\" "
      "\"line\"");
  REQUIRE(p.has_value());
  CHECK(*p == std::vector<key_and_value>{
                  {"k1", "v 1"}, {"k2", ""}, {"k3", bytes("\0\xff", 2)}, {"last", "line"}});
  CHECK(parse_transaction("")->empty());
}

TEST_CASE("pairs of a transaction: mistakes name their line") {
  for (const char* bad : {"\"a\" \"b\"\nk v\n", "\"a\" \"b\"\n\"k \"v\"\n",
                          "\"a\" \"b\"\n\"k\" v\n", "\"a\" \"b\"\n\"0xz\" \"v\"\n"}) {
    const auto p = parse_transaction(bad);
    REQUIRE_FALSE(p.has_value());
    CHECK(p.error().starts_with("line 2: "));
  }
}
