#include "protocol/rules/joining.hpp"

#include <doctest/doctest.h>

using namespace floe;

namespace {

using enum content_claim;
using claims = std::vector<db_content_entry>;

constexpr db_id db{7};

constexpr generation gen(std::uint32_t count) { return generation{0x8000'0000U | count << 12}; }

db_content_entry claim(content_claim c, generation g) {
  return {.db_id = db, .claim = c, .generation = g, .records = 1000};
}

/// A node of the map 0,1 at generation 9, which knows what has changed since 8 and 7.
claims of_leader() {
  return {claim(base, gen(9)),
          claim(earlier, gen(8)),
          claim(earlier, gen(7)),
          claim(serves, gen(9)),
          {.db_id = db, .claim = member, .generation = gen(9), .records = 0},
          {.db_id = db, .claim = member, .generation = gen(9), .records = 1}};
}

/// The rows that say who were the members of node 2's content.
claims with_members(claims all, generation g, std::initializer_list<std::uint64_t> members) {
  for (const auto m : members)
    all.push_back({.db_id = db, .claim = member, .generation = g, .records = m});
  return all;
}

bool lacks(const claims& joiner, const claims& leader = of_leader()) {
  const std::vector<pnn> map{pnn{0}, pnn{1}};
  const auto all = what_is_lacking({pnn{0}, leader}, map, {pnn{2}, joiner});
  REQUIRE(all.size() <= 1);
  return !all.empty() && all.front() == joiner_lacks{db, 1000};
}

}  // namespace

TEST_CASE("who has nothing lacks what the leader has") {
  CHECK(lacks({}));
  CHECK_FALSE(lacks({}, {}));
  // the leader does not know what it has changed: nobody can be filled with that
  CHECK_FALSE(lacks({}, {claim(unknown, gen(9))}));
}

TEST_CASE("who can be told what it has missed lacks nothing") {
  CHECK_FALSE(lacks(with_members({claim(base, gen(8))}, gen(8), {0, 1, 2})));
  CHECK_FALSE(lacks(with_members({claim(base, gen(11)), claim(earlier, gen(7))}, gen(11), {2})));
  CHECK_FALSE(lacks({claim(filled, gen(9))}));
  CHECK_FALSE(lacks({claim(filled, gen(7))}));
  CHECK(lacks({claim(filled, gen(6))}));
}

TEST_CASE("who has missed more than anybody remembers lacks it, whatever it has") {
  CHECK(lacks(with_members({claim(base, gen(3))}, gen(3), {0, 1, 2})));
  CHECK(lacks(with_members({claim(unknown, gen(3))}, gen(3), {0, 1, 2})));
}

TEST_CASE("whose copy would count in a recovery is not filled: it is what others may lack") {
  // two nodes of a part that went on: by its number it followed what the leader has
  CHECK_FALSE(lacks(with_members({claim(base, gen(12))}, gen(12), {1, 2})));
  // it serves, in a part of its own
  CHECK_FALSE(lacks(with_members({claim(base, gen(3)), claim(serves, gen(3))}, gen(3), {0, 1, 2})));
}

TEST_CASE("records that the others may never have had are looked at by a recovery") {
  auto leader = of_leader();
  const auto stranger = with_members({claim(base, gen(3))}, gen(3), {0, 1, 2});
  CHECK(lacks(stranger, leader));
  leader.push_back(claim(birth, gen(7)));
  CHECK_FALSE(lacks(stranger, leader));
  auto since_birth = stranger;
  since_birth.push_back(claim(birth, gen(3)));
  CHECK_FALSE(lacks(since_birth));
  // who has nothing has no such records
  CHECK(lacks({}, leader));
}
