#include "protocol/rules/winner.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "protocol/rules/read_only.hpp"

using namespace floe;

namespace {

constexpr pnn leader{0}, n1{1}, n2{2}, n3{3};

record_claim claim(pnn holder, std::uint64_t n, pnn dmaster, bool took_part = true) {
  return {.header = {.rsn = rsn{n}, .dmaster = dmaster}, .holder = holder, .took_part = took_part};
}

}  // namespace

TEST_CASE("winner: each criterion, both ways round") {
  struct row {
    const char* what;
    record_claim winner, loser;
  };
  for (const auto& r : std::vector<row>{
           {"higher rsn", claim(n1, 5, n2), claim(n2, 4, n2)},
           {"higher rsn, though it names the leader", claim(n1, 5, leader), claim(n2, 4, n2)},
           {"a hung dmaster comes back with a higher rsn", claim(n1, 4, n1),
            claim(n2, 5, n2, false)},
           {"the dmaster's own copy", claim(n2, 5, n2), claim(n1, 5, n2)},
           {"the dmaster's own copy, though it is the leader's", claim(leader, 5, leader),
            claim(n1, 5, n2)},
           {"a copy that has moved since the last recovery", claim(n2, 5, n3),
            claim(n1, 5, leader)},
           {"of moved ones the lowest pnn", claim(n1, 5, n3), claim(n2, 5, n3)},
           {"of those that name the leader the highest pnn", claim(n2, 5, leader),
            claim(n1, 5, leader)},
           {"of two that missed the last generation", claim(n1, 6, n1, false),
            claim(n2, 5, n2, false)},
       }) {
    CAPTURE(r.what);
    CHECK(beats(r.winner, r.loser, leader));
    CHECK_FALSE(beats(r.loser, r.winner, leader));
    CHECK_FALSE(beats(r.winner, r.winner, leader));
  }
}

TEST_CASE(
    "winner: copies of nodes that missed the last generation do not count, persistent ones do") {
  CHECK(counts(db_kind::volatile_db, claim(n1, 5, n1)));
  CHECK_FALSE(counts(db_kind::volatile_db, claim(n1, 5, n1, false)));
  CHECK(counts(db_kind::persistent, claim(n1, 5, n1, false)));
  CHECK(counts(db_kind::replicated, claim(n1, 5, n1, false)));
}

TEST_CASE("winner: a total order, and without own copies the same choice as ctdbd's") {
  // ctdbd takes copies in pnn order; one replaces the stored one if its rsn is higher, or equal and
  // the stored one names the leader
  std::mt19937_64 chance(7);
  for (int i = 0; i < 3000; ++i) {
    std::vector<record_claim> copies;
    for (std::uint32_t p = 0; p < 4; ++p)
      copies.push_back(
          claim(pnn{p}, 1 + chance() % 3, pnn{static_cast<std::uint32_t>(chance() % 6)}));
    const bool owned =
        std::ranges::any_of(copies, [](const auto& c) { return c.holder == c.header.dmaster; });
    const record_claim* theirs = &copies[0];
    for (const auto& c : copies)
      if (c.header.rsn > theirs->header.rsn ||
          (c.header.rsn == theirs->header.rsn && theirs->header.dmaster == leader))
        theirs = &c;
    std::vector<record_claim> order = copies;
    std::ranges::shuffle(order, chance);
    const record_claim* ours = &order[0];
    for (const auto& c : order)
      if (beats(c, *ours, leader)) ours = &c;
    if (!owned) REQUIRE(ours->holder == theirs->holder);
    REQUIRE(ours->header.rsn == theirs->header.rsn);
    for (const auto& a : copies)
      for (const auto& b : copies) {
        REQUIRE(beats(a, b, leader) + beats(b, a, leader) == (a.holder == b.holder ? 0 : 1));
        for (const auto& c : copies)
          if (beats(a, b, leader) && beats(b, c, leader)) REQUIRE(beats(a, c, leader));
      }
  }
}

TEST_CASE(
    "the winner goes to the leader, an empty one is dropped, a persistent one stays as found") {
  const record_header h{.rsn = rsn{9}, .dmaster = n2, .flags = record_flag::ro_have_delegations};
  for (auto kind : {db_kind::volatile_db, db_kind::replicated}) {
    const auto r = recovered_header(kind, h, true, n1);
    REQUIRE(r);
    CHECK(*r == record_header{
                    .rsn = rsn{9},
                    .dmaster = n1,
                    .flags = record_flag::ro_have_delegations | record_flag::migrated_with_data});
    CHECK(without_copies(*r).flags == record_flag::migrated_with_data);
    CHECK_FALSE(recovered_header(kind, h, false, n1));
  }
  CHECK(recovered_header(db_kind::persistent, h, true, n1) == h);
  CHECK_FALSE(recovered_header(db_kind::persistent, h, false, n1));
}

TEST_CASE("a recovery by difference drops an empty record only while nobody is away") {
  const record_header h{.rsn = rsn{9}, .dmaster = n2, .flags = record_flag::ro_have_delegations};
  CHECK_FALSE(kept_header(h, false, true));
  CHECK(kept_header(h, false, false) ==
        record_header{.rsn = rsn{9}, .dmaster = n2, .flags = record_flag::migrated_with_data});
  CHECK(kept_header(h, true, true) == kept_header(h, true, false));
}

TEST_CASE("a copy that beats what was before beats it whoever holds that one") {
  std::mt19937_64 random(1);
  const std::array nodes{leader, n1, n2, n3};
  int told = 0;
  for (int i = 0; i < 20000; ++i) {
    const auto any = [&] { return nodes[random() % nodes.size()]; };
    const auto holder = any(), other = any();
    const record_header was{.rsn = rsn{random() % 3}, .dmaster = any()};
    const record_header now{.rsn = rsn{random() % 3}, .dmaster = any()};
    const record_mark before{.rsn = was.rsn, .data_sum = static_cast<std::uint32_t>(random() % 2)};
    if (other == holder || !beats_what_was(now, 1, holder, before)) continue;
    ++told;
    CHECK(beats({.header = now, .holder = holder, .changed = true},
                {.header = was, .holder = other, .changed = false}));
  }
  CHECK(told > 5000);
  const record_header same{.rsn = rsn{4}, .dmaster = n1};
  CHECK_FALSE(beats_what_was(same, 7, n1, {.rsn = rsn{4}, .data_sum = 7}));
  CHECK_FALSE(beats_what_was(same, 8, n2, {.rsn = rsn{4}, .data_sum = 7}));
  CHECK_FALSE(beats_what_was(same, 8, n1, {.rsn = rsn{5}, .data_sum = 7}));
}
