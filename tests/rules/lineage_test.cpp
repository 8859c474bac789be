#include "protocol/rules/lineage.hpp"

#include <doctest/doctest.h>

#include <array>
#include <utility>
#include <vector>

using namespace floe;

namespace {

constexpr pnn leader{0}, n1{1}, n2{2}, n3{3};
constexpr generation a{10}, b{20}, c{30};
using nodes = std::vector<pnn>;

lineage_claim at(pnn n, generation g, nodes members, bool committed = false) {
  return {n, {.gen = g, .members = std::move(members), .committed = committed}};
}
lineage_claim content(pnn n, generation g, nodes members) {
  return at(n, g, std::move(members), true);
}
lineage_claim nowhere(pnn n) { return {n, {}}; }

struct row {
  const char* what;
  std::vector<lineage_claim> claims;
  nodes count;
};
void check(const std::vector<row>& table) {
  for (const auto& r : table) {
    CAPTURE(r.what);
    CHECK(last_generation_members(r.claims, leader) == r.count);
  }
}

const nodes all{leader, n1, n2};

}  // namespace

TEST_CASE("who took part, told by members alone") {
  check({
      {"everybody", {at(leader, a, all), at(n1, a, all), at(n2, a, all)}, all},
      {"first start", {nowhere(leader), nowhere(n1), nowhere(n2)}, {}},
      {"one restarted", {at(leader, a, all), nowhere(n1), at(n2, a, all)}, {leader, n2}},
      {"one hung", {at(leader, a, all), at(n1, b, {n1, n2}), at(n2, b, {n1, n2})}, {n1, n2}},
      {"one of two hung", {at(leader, a, {leader, n1}), at(n1, b, {n1})}, {n1}},
      {"one hung through two recoveries",
       {at(leader, c, {leader, n1}), at(n1, c, {leader, n1}), at(n2, a, all)},
       {leader, n1}},
      {"two hung one after the other",
       {at(leader, c, {leader}), at(n1, b, {leader, n1}), at(n2, a, all)},
       {leader}},
      {"a node that is no lmaster hung",
       {at(leader, b, {leader, n1}), at(n1, b, {leader, n1}), at(n3, a, {leader, n1})},
       {leader, n1}},
      {"a map that had not reached everybody",
       {at(leader, b, all), at(n1, b, all), at(n2, a, all)},
       all},
      {"... twice", {at(leader, c, all), at(n1, b, all), at(n2, a, all)}, all},
      {"two halves, the larger one",
       {at(leader, a, {leader}), at(n1, b, {n1, n2}), at(n2, b, {n1, n2})},
       {n1, n2}},
      {"two halves of one size, the leader's",
       {at(leader, b, {leader}), at(n1, a, {n1})},
       {leader}},
      {"two halves without the leader", {at(n1, b, {n1}), at(n2, a, {n2})}, {n1}},
      {"nobody", {}, {}},
      {"claims that contradict each other in a circle leave somebody",
       {at(leader, a, {leader, n1}), at(n1, b, {n1, n2}), at(n2, c, {n2, leader})},
       {leader}},
  });
}

TEST_CASE("numbers can be reserved") {
  const auto now = next_generation({}, 7);
  CHECK(is_later(later_by(now, 0), now));
  auto last = now;
  for (unsigned i = 0; i < 64; ++i) last = next_generation(std::array{last}, i);
  CHECK(is_later(later_by(now, 64), last));
  CHECK_FALSE(is_later(later_by(now, 64), next_generation(std::array{last}, 1)));
  CHECK(later_by(generation{12345}, 64) == generation::invalid);
}

TEST_CASE(
    "where a cluster lock decides who goes on, more nodes do not count more than what followed") {
  const auto before = next_generation({}, 1), after = next_generation(std::array{before}, 2);
  const std::vector claims{content(leader, after, {leader}), content(n1, before, all),
                           content(n2, before, all)};
  CHECK(last_generation_members(claims, leader) == nodes{n1, n2});
  CHECK(last_generation_members(claims, leader, true) == nodes{leader});
  CHECK(last_generation_members(claims, n1, true) == nodes{leader});
  // parts that share no node have not followed each other
  const std::vector apart{content(leader, after, {leader}), content(n1, before, {n1, n2}),
                          content(n2, before, {n1, n2})};
  CHECK(last_generation_members(apart, leader, true) == nodes{n1, n2});
}

TEST_CASE("who took part, told by ordered generations and by what was committed") {
  const generation g1 = next_generation({}, 5), g2 = next_generation(std::array{g1}, 6),
                   g3 = next_generation(std::array{g2}, 7),
                   g2b = next_generation(std::array{g1}, 9);
  check({
      {"a node that was hung got the new map, but not the content yet",
       {content(leader, g2, {leader, n1}), content(n1, g2, {leader, n1}), content(n2, g1, all)},
       {leader, n1}},
      {"a commit that reached one node: it has all there was",
       {content(leader, g3, all), content(n1, g2, {leader, n1}), content(n2, g1, all)},
       {leader}},
      {"... and it was the one that had been hung",
       {content(leader, g2, {leader, n1}), content(n1, g2, {leader, n1}), content(n2, g3, all)},
       {n2}},
      {"... and nobody else was there before",
       {content(n1, g3, {n1, n3}), content(n3, g1, {leader, n3})},
       {n1}},
      {"the nodes in between are gone",
       {content(leader, g3, {leader}), content(n2, g1, {n2, n3})},
       {leader}},
      {"... the other way round", {content(leader, g1, {leader}), content(n2, g3, {n2, n3})}, {n2}},
      {"two halves that parted: the larger",
       {content(leader, g2, {leader}), content(n1, g2b, {n1, n2}), content(n2, g2b, {n1, n2})},
       {n1, n2}},
      {"a node that hung has recovered twice since, alone",
       {content(leader, g2, {leader, n1}), content(n1, g2, {leader, n1}), content(n2, g3, {n2})},
       {leader, n1}},
      {"a leader hung while all others were started again, and counted anew",
       {content(leader, g1, {leader, n1}), content(n1, g1, {leader, n1}), content(n2, g3, {n1})},
       {leader, n1}},
      {"... and did not hang, but was cut off",
       {content(leader, g1, {leader, n1}), content(n1, g1, {leader, n1}),
        content(n2, g3, {n1, n2})},
       {n2}},
      {"a map that had not reached everybody, and nothing committed",
       {at(leader, g2, all), at(n1, g2, all), at(n2, g1, all)},
       all},
      {"a ctdbd knows its map only",
       {content(leader, g2, all), at(n1, g2, all), content(n2, g2, all)},
       all},
      {"... and was told of a recovery that got no further",
       {content(leader, g1, all), at(n1, g2, all), content(n2, g1, all)},
       all},
      {"... and was hung before",
       {content(leader, g2, {leader, n2}), at(n1, g3, all), content(n2, g2, {leader, n2})},
       {leader, n2}},
  });
}

TEST_CASE(
    "what nodes create is named by the generation of their map, and as no recovery's content") {
  const generation g1 = next_generation({}, 5), g2 = next_generation(std::array{g1}, 5);
  CHECK(birth_under(g1) != birth_under(g2));
  CHECK(birth_under(g1) != g1);
  CHECK_FALSE(is_later(g1, birth_under(g1)));
  CHECK(birth_under(generation{0x7fffffff}) == generation::invalid);
  CHECK(birth_under(generation::invalid) == generation::invalid);
}

TEST_CASE("generations: ours have an order, a ctdbd's have none, and neither is ever INVALID") {
  const generation foreign{0x7fffffff}, g1 = next_generation({}, 0),
                                        g2 = next_generation(std::array{g1, foreign}, 0xffffffff);
  CHECK(is_later(g2, g1));
  CHECK_FALSE(is_later(g1, g2));
  CHECK_FALSE(is_later(g1, g1));
  CHECK_FALSE(is_later(foreign, g1));
  CHECK_FALSE(is_later(g1, foreign));
  CHECK_FALSE(is_later(next_generation({}, 1), next_generation({}, 2)));
  CHECK(next_generation({}, 1) != next_generation({}, 2));
  CHECK(next_generation(std::array{generation::invalid}, 1) != generation::invalid);

  generation g = g1;
  bool always = true;
  for (std::uint32_t i = 0; i < 1U << 20U; ++i) {  // twice round the circle
    const generation n = next_generation(std::array{g, foreign}, i * 2654435761U);
    always = always && is_later(n, g) && !is_later(g, n);
    g = n;
  }
  CHECK(always);
  const generation three[] = {g2, next_generation(std::array{g2}, 3), g1};
  CHECK(is_later(next_generation(three, 0), three[1]));
}

TEST_CASE("of a part that recovered and a larger one that had not yet, the larger one counts") {
  const generation g1 = next_generation({}, 5), g2 = next_generation(std::array{g1}, 6);
  const nodes five{leader, n1, n2, n3, pnn{4}};
  const nodes without_n1{leader, n2, n3, pnn{4}}, without_n2{leader, n1, n3, pnn{4}};
  check({
      {"one was quicker",
       {content(n1, g1, five), content(n2, g1, five), content(n3, g2, {n3})},
       {n1, n2}},
      {"one was quicker, with one that has started since",
       {content(leader, g1, five), content(n1, g1, five), content(n2, g1, five),
        content(n3, g2, {n3, pnn{4}}), content(pnn{4}, g2, {n3, pnn{4}})},
       {leader, n1, n2}},
      {"as many as there are", {content(n1, g1, five), content(n3, g2, {n3})}, {n3}},
      {"the larger part hung: it has missed what the smaller did",
       {content(n1, g1, without_n1), content(n2, g1, without_n2), content(n3, g2, {n3})},
       {n3}},
      {"a recovery that has not come to everybody yet is no part",
       {content(leader, g2, {leader, n1, n2, n3}), content(n1, g1, five), content(n2, g1, five),
        content(n3, g1, five)},
       {leader}},
  });
}

TEST_CASE(
    "of two that have counted equally far neither followed the other: the larger one counts") {
  const auto same = [](std::uint32_t random) { return generation{0x80003000 | random}; };
  check({
      {"one was restarted, and has recovered alone as often",
       {content(leader, same(1), {leader, n1, n2}), content(n1, same(1), {leader, n1, n2}),
        content(n2, same(2), {n2})},
       {leader, n1}},
      {"so has one of two: the part that was larger",
       {content(leader, same(1), {leader, n1}), content(n1, same(2), {n1})},
       {leader}},
      {"and if it leads",
       {content(leader, same(2), {leader}), content(n1, same(1), {leader, n1})},
       {n1}},
  });
}

TEST_CASE(
    "a replaced content is later than what it was put in the place of, and earlier than the next "
    "generation") {
  const std::vector<pnn> members{leader, n1, n2};
  const auto first = next_generation({}, 5 << 6 | 2);
  const auto replaced = replaced_under(first);
  const auto next = next_generation(std::array{first, replaced}, 0);
  const auto rival = next_generation({}, 5 << 6 | 3);
  CHECK(is_replaced(replaced));
  for (const auto g : {first, next, rival, birth_under(first), generation::invalid, generation{77}})
    CHECK_FALSE(is_replaced(g));
  CHECK(replaced_under(birth_under(first)) == generation::invalid);
  CHECK(is_later(replaced, first));
  CHECK_FALSE(is_later(first, replaced));
  CHECK_FALSE(is_later(replaced, replaced));
  CHECK(is_later(next, replaced));
  CHECK(next == next_generation(std::array{first}, 0));
  CHECK_FALSE(supersedes(replaced, next));
  CHECK(supersedes(replaced, first));  // no other tool begins there
  // of another recovery that was counted as far it says nothing
  CHECK_FALSE(is_later(replaced, rival));
  check({
      {"on one node only",
       {content(leader, first, members), content(n1, replaced, members),
        content(n2, first, members)},
       {n1}},
      {"on all but one",
       {content(leader, replaced, members), content(n1, replaced, members),
        content(n2, first, members)},
       {leader, n1}},
      {"the others went on without it",
       {content(leader, next, {leader, n2}), content(n1, replaced, members),
        content(n2, next, {leader, n2})},
       {leader, n2}},
      {"one other did",
       {content(leader, next, {leader}), content(n1, replaced, {leader, n1})},
       {leader}},
  });
}
