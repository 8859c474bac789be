/// The checkers of transactions, on histories made by hand: what they must find, and what they must let pass.
#include <doctest/doctest.h>

#include "tests/drill/written_transactions.hpp"

using namespace floe::cli::drill;

TEST_CASE("transactions in order break nothing") {
  written_transactions w;
  w.commit(0, 1, 5, {{"a", ""}, {"b", ""}}, {{"a", "a1"}, {"b", "b1"}}, 1);
  w.look(1, 6, 7, {{"a", "a1"}, {"b", "b1"}});
  w.commit(1, 8, 12, {{"a", "a1"}, {"c", ""}}, {{"a", "a2"}, {"c", "c2"}}, 2);
  w.read(2, 13, 14, "a", "a2");
  w.rest({{"a", "a2"}, {"b", "b1"}, {"c", "c2"}});
  w.nothing_is_broken();
}

TEST_CASE("a commit whose end is unknown may have happened or not, but wholly") {
  written_transactions w;
  w.commit(0, 1, 5, {{"a", ""}, {"b", ""}}, {{"a", "a1"}, {"b", "b1"}}, 1);
  w.commit(1, 6, 9, {{"a", "a1"}, {"b", "b1"}}, {{"a", "a2"}, {"b", "b2"}}, 0, op_end::unknown);
  SUBCASE("not") {
    w.rest({{"a", "a1"}, {"b", "b1"}});
    w.nothing_is_broken();
  }
  SUBCASE("yes") {
    w.rest({{"a", "a2"}, {"b", "b2"}});
    w.nothing_is_broken();
  }
  SUBCASE("half of it") {
    w.rest({{"a", "a2"}, {"b", "b1"}});
    CHECK(w.broken(whole_commits_checker()) == 1);
  }
}

TEST_CASE("a refused transaction that is there is found") {
  written_transactions w;
  w.commit(0, 1, 5, {{"a", ""}}, {{"a", "a1"}}, 0, op_end::refused);
  w.rest({{"a", "a1"}});
  CHECK(w.broken(whole_commits_checker()) == 1);
}

TEST_CASE("a read that misses an acknowledged commit is found, except where nobody could know") {
  written_transactions w;
  w.commit(0, 1, 5, {{"a", ""}}, {{"a", "a1"}}, 1);
  w.commit(1, 6, 9, {{"a", "a1"}}, {{"a", "a2"}}, 2);
  w.rest({{"a", "a2"}});
  w.read(2, 8, 10, "a", "a1");  // began before it was acknowledged
  CHECK(w.broken(kept_commits_checker()) == 0);
  w.read(2, 10, 11, "a", "a1");
  CHECK(w.broken(kept_commits_checker()) == 1);
  w.h.disturb(2, 7'000, "paused", fault_kind::paused);
  CHECK(w.broken(kept_commits_checker()) == 0);
}

TEST_CASE("transactions without a common order are found") {
  SUBCASE("two that followed the same one: an update is lost") {
    written_transactions w;
    w.commit(0, 1, 5, {{"a", ""}}, {{"a", "a1"}}, 1);
    w.commit(1, 6, 9, {{"a", "a1"}}, {{"a", "a2"}}, 2);
    w.commit(2, 6, 9, {{"a", "a1"}}, {{"a", "a3"}}, 3);
    w.rest({{"a", "a3"}});
    CHECK(w.broken(kept_commits_checker()) == 1);
  }
  SUBCASE("a look that sees the second and not the first") {
    written_transactions w;
    w.commit(0, 1, 5, {{"a", ""}}, {{"a", "a1"}}, 1);
    w.commit(1, 6, 9, {{"b", ""}}, {{"b", "b1"}}, 2);
    w.look(2, 2, 10, {{"a", ""}, {"b", "b1"}});
    w.rest({{"a", "a1"}, {"b", "b1"}});
    CHECK(w.broken(ordered_commits_checker()) == 1);
  }
  SUBCASE("a look that sees half of one") {
    written_transactions w;
    w.commit(0, 1, 9, {{"a", ""}, {"b", ""}}, {{"a", "a1"}, {"b", "b1"}}, 1);
    w.look(2, 2, 8, {{"a", "a1"}, {"b", ""}});
    w.rest({{"a", "a1"}, {"b", "b1"}});
    CHECK(w.broken(ordered_commits_checker()) == 1);
  }
  SUBCASE("a look that comes late and sees what was before") {
    written_transactions w;
    w.commit(0, 1, 5, {{"a", ""}}, {{"a", "a1"}}, 1);
    w.look(2, 6, 8, {{"a", ""}});
    w.rest({{"a", "a1"}});
    CHECK(w.broken(ordered_commits_checker()) == 1);
    w.h.disturb(2, 500, "cut off", fault_kind::cut);
    CHECK(w.broken(ordered_commits_checker()) == 0);
  }
  SUBCASE("sequence numbers that fall, and one that was given twice") {
    written_transactions w;
    w.commit(0, 1, 5, {{"a", ""}}, {{"a", "a1"}}, 7);
    w.commit(1, 6, 9, {{"a", "a1"}}, {{"a", "a2"}}, 6);
    w.rest({{"a", "a2"}});
    CHECK(w.broken(ordered_commits_checker()) == 1);
    w.h.transactions[1].seqnum = 8;
    CHECK(w.broken(ordered_commits_checker()) == 0);
    w.commit(1, 10, 12, {{"b", ""}}, {{"b", "b1"}}, 8);
    w.rest({{"b", "b1"}});
    CHECK(w.broken(ordered_commits_checker()) == 1);
  }
  SUBCASE("a value out of nowhere") {
    written_transactions w;
    w.rest({{"a", "ghost"}});
    CHECK(w.broken(ordered_commits_checker()) == 1);
  }
}

TEST_CASE("nodes that differ at rest are found") {
  written_transactions w;
  w.commit(0, 1, 5, {{"a", ""}}, {{"a", "a1"}}, 1);
  w.rest(0, "a", "a1");
  w.rest(1, "a", "a1");
  CHECK(w.broken(equal_copies_checker()) == 0);
  w.rest(2, "a", "");
  CHECK(w.broken(equal_copies_checker()) == 1);
}
