/// The number under which a program keeps what it has read of a volatile database.
#include <doctest/doctest.h>

#include "actors/tdb_bridge/change_number.hpp"

using floe::bridge::change_number;

TEST_CASE("it changes when the database did, and only then") {
  change_number n;
  const int first = n.number_for(7);
  CHECK(n.number_for(7) == first);
  const int second = n.number_for(8);
  CHECK(second != first);
  CHECK(n.number_for(8) == second);
  CHECK(n.number_for(7) != second);
}

TEST_CASE("while nobody knows it is another one each time") {
  change_number n;
  const int known = n.number_for(7);
  const int a = n.number_for(std::nullopt), b = n.number_for(std::nullopt);
  CHECK(a != known);
  CHECK(b != a);
  CHECK(n.number_for(7) != known);
}

TEST_CASE("what was read before a change is not kept under the number of after it") {
  change_number n;
  n.number_for(7);
  REQUIRE(n.wants_to_know());
  n.reads_at(7);
  CHECK(!n.wants_to_know());          // the first read counts
  const int after = n.number_for(8);  // whoever has read keeps it under this
  const int again = n.number_for(8);
  CHECK(again != after);
  CHECK(n.number_for(8) == again);
}

TEST_CASE("a read without a change beside it leaves the number") {
  change_number n;
  const int first = n.number_for(7);
  REQUIRE(n.wants_to_know());
  n.reads_at(7);
  CHECK(n.number_for(7) == first);
  REQUIRE(n.wants_to_know());
  n.reads_at(std::nullopt);
  CHECK(n.number_for(7) == first);  // kept once
  CHECK(n.number_for(7) != first);
}

TEST_CASE("nothing is known of a read before the first number") {
  change_number n;
  CHECK(!n.wants_to_know());
  const int first = n.number_for(7);
  const int second = n.number_for(7);
  CHECK(second != first);
  CHECK(n.number_for(7) == second);
}
