// What a store notes about its changes: every key, whatever changed it, in bounds; and the steps between commits.
#include "storage/change_history.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/storage/support.hpp"

using namespace floe;
using namespace floe::test;

namespace {

constexpr generation g1{101}, g2{102}, g3{103};

std::set<bytes> keys_of(const key_set& s) {
  std::set<bytes> all;
  s.each([&](byte_view key) { all.emplace(key); });
  return all;
}

}  // namespace

TEST_CASE("a set of keys has each key once and shows them in the order of a scan") {
  random_source random(7);
  key_set set;
  std::set<bytes> expected;
  for (const bytes& key : some_keys(random, 2000))
    for (int again = 0; again < 2; ++again) CHECK(set.insert(key) == expected.insert(key).second);
  CHECK(set.size() == expected.size());
  CHECK(keys_of(set) == expected);
  for (const bytes& key : expected) CHECK(set.contains(key));
  CHECK_FALSE(set.contains("not there, of that length"));
  const auto sorted = set.sorted();
  CHECK(sorted.size() == expected.size());
  CHECK(std::ranges::adjacent_find(
            sorted, [](byte_view a, byte_view b) { return key_order(a, b) >= 0; }) == sorted.end());
  set.clear();
  CHECK(set.empty());
  CHECK_FALSE(set.contains("x"));
  CHECK(set.size_bytes() < 100);
}

TEST_CASE("the tag of a key is the one that it came with first") {
  key_set set(4);
  CHECK_FALSE(set.tag_of("a"));
  CHECK(set.insert("a", "1234"));
  CHECK_FALSE(set.insert("a", "5678"));
  for (int n = 0; n < 100; ++n) set.insert("key " + std::to_string(n), "long tag");
  set.insert("b", "x");
  CHECK(set.tag_of("a") == "1234");
  CHECK(set.tag_of("key 77") == "long");
  CHECK(set.tag_of("b") == byte_view("x\0\0\0", 4));
  CHECK_FALSE(set.tag_of("c"));
  CHECK(keys_of(set).size() == 102);
}

TEST_CASE(
    "what has been written is not forgotten when the data are the same again; what was only moved "
    "is not written") {
  temp_dir dir;
  store kept = opened({.file = dir / "x.db", .create_empty = true});
  store* const s = &kept;
  auto& h = s->changes();
  REQUIRE(s->put("back", {.rsn = rsn{3}}, "old"));
  REQUIRE(s->put("moved", {.rsn = rsn{3}}, "old"));
  REQUIRE(s->put("told", {.rsn = rsn{3}}, "old"));
  h.begin(g1);
  for (const byte_view data : {"new", "old"}) REQUIRE(s->put("back", {.rsn = rsn{4}}, data));
  for (const byte_view data : {"new", ""}) REQUIRE(s->put("deleted", {.rsn = rsn{4}}, data));
  for (const std::uint64_t n : {4, 5}) REQUIRE(s->put("moved", {.rsn = rsn{n}}, "old"));
  REQUIRE(s->put("empty", {.rsn = rsn{1}}, ""));
  REQUIRE(s->put("told", {.rsn = rsn{4}}, "old"));
  h.written("told");
  h.written("nobody has changed it");
  CHECK(h.marks_of("back").at(0).mark.written);
  CHECK(h.marks_of("deleted").at(0).mark.written);
  CHECK_FALSE(h.marks_of("moved").at(0).mark.written);
  CHECK_FALSE(h.marks_of("empty").at(0).mark.written);
  CHECK(h.marks_of("told").at(0).mark.written);
  CHECK(h.marks_of("nobody has changed it").empty());
  h.step(g2);
  REQUIRE(s->put("back", {.rsn = rsn{5}}, "old"));
  CHECK_FALSE(h.marks_of("back").at(0).mark.written);
  CHECK(h.marks_of("back").at(1).mark.written);
}

TEST_CASE("beside a change stands what the record was at the base before it") {
  temp_dir dir;
  store kept = opened({.file = dir / "x.db", .create_empty = true});
  store* const s = &kept;
  auto& h = s->changes();
  REQUIRE(s->put("a", {.rsn = rsn{3}}, "old"));
  REQUIRE(s->put("b", {.rsn = rsn{4}}, "old"));
  h.begin(g1);
  REQUIRE(s->put("a", {.rsn = rsn{5}}, "new"));
  REQUIRE(s->put("a", {.rsn = rsn{6}}, "newer"));
  REQUIRE(s->erase("b"));
  REQUIRE(s->put("c", {.rsn = rsn{1}}, "new"));
  h.step(g2);
  const change more[] = {change::put("a", {.rsn = rsn{7}}, "last"), change::erase("c")};
  REQUIRE(s->bulk_apply(more));
  const auto written = [](std::uint64_t n, byte_view data) {
    auto m = mark_of({.rsn = rsn{n}}, data);
    m.written = true;
    return m;
  };
  const auto a = h.marks_of("a");
  REQUIRE(a.size() == 2);
  CHECK(a[0].age == 1);
  CHECK(a[0].mark == written(6, "newer"));
  CHECK(a[1].age == 2);
  CHECK(a[1].mark == written(3, "old"));
  CHECK(h.marks_of("b").at(0).mark == written(4, "old"));
  CHECK(h.marks_of("c").at(0).mark == written(1, "new"));
  CHECK(h.marks_of("c").at(1).mark == written(0, ""));
  CHECK(h.marks_of("d").empty());
  CHECK(h.oldest_age_since(g2) == 1);
  CHECK(h.oldest_age_since(g1) == 2);
  CHECK(data_sum("") == 0);
  CHECK(data_sum("x") != 0);
}

TEST_CASE("changes are noted from a commit on, and kept as steps") {
  change_history h;
  h.note("before any");
  CHECK(h.state() == change_state::none);
  CHECK_FALSE(h.since(g1));

  h.begin(g1);
  CHECK(h.base() == g1);
  CHECK(h.since(g1)->empty());
  h.note("a");
  h.note("a");
  h.note("b");
  CHECK(h.keys() == 2);
  CHECK(h.age_of("a") == 1);
  h.step(g2);
  CHECK(h.keys() == 0);
  CHECK(h.age_of("a") == 2);
  CHECK(h.earlier() == std::vector{g1});
  h.note("c");
  CHECK(keys_of(*h.since(g2)) == std::set<bytes>{"c"});
  CHECK(keys_of(*h.since(g1)) == std::set<bytes>{"a", "b", "c"});
  h.step(g3);
  CHECK(h.earlier() == std::vector{g2, g1});
  CHECK(keys_of(*h.since(g2)) == std::set<bytes>{"c"});
  CHECK_FALSE(h.since(generation{99}));

  h.note("d");
  CHECK(h.reaches(g3));
  CHECK(h.reaches(g1));
  CHECK_FALSE(h.reaches(generation{99}));
  for (const generation base : {g1, g2, g3}) {
    const auto changed = keys_of(*h.since(base));
    for (const bytes key : {"a", "b", "c", "d", "e"})
      CHECK(h.changed_since(base, key) == changed.contains(key));
  }

  h.forget();
  CHECK_FALSE(h.reaches(g3));
  CHECK(h.state() == change_state::none);
  CHECK(h.base() == generation::invalid);
  CHECK_FALSE(h.since(g3));
}

TEST_CASE("beyond its bounds it knows nothing until the next commit, and gives the memory back") {
  change_history h(
      change_history::bounds{.keys = 10, .bytes = 1 << 20, .step_bytes = 2000, .steps = 2});
  h.begin(g1);
  h.note("kept in a step");
  h.step(g2);
  for (int i = 0; i < 11; ++i) h.note(std::to_string(i));
  CHECK(h.state() == change_state::overflow);
  CHECK(h.base() == g2);
  CHECK_FALSE(h.since(g2));
  CHECK(h.earlier().empty());
  CHECK(h.size_bytes() < 100);
  h.step(g3);  // a commit after an overflow is the beginning
  CHECK(h.state() == change_state::complete);
  CHECK(h.since(g3)->empty());
  CHECK(h.earlier().empty());

  for (std::uint32_t g = 0; g < 5; ++g) {
    h.note("x");
    h.step(generation{200 + g});
  }
  CHECK(h.earlier() == std::vector{generation{203}, g3});  // the latest, and the first
  h.note(bytes(5000, 'k'));  // a step that is too large alone leaves none
  h.step(g1);
  CHECK(h.earlier().empty());
}

TEST_CASE("parts that have gone on for however many recoveries still know bases in common") {
  change_history one;
  one.begin(generation{2});
  const auto go_on = [](change_history& h, std::uint32_t from, std::uint32_t to) {
    for (auto g = from; g < to; ++g) {
      h.note("key of " + std::to_string(g));
      h.step(generation{g + 1});
    }
  };
  go_on(one, 2, 300);
  change_history other = one;  // of 300 both have the content
  one.note("at the end");
  one.step(generation{1001}, true);
  other.step(generation{2001}, true);
  go_on(one, 1001, 1400);
  go_on(other, 2001, 2090);
  CHECK(one.earlier().size() == 64);
  CHECK(one.reaches(generation{2}));
  CHECK(one.reaches(generation{300}));
  CHECK(other.reaches(generation{300}));
  std::vector<generation> shared;
  for (const auto g : one.earlier())
    if (other.reaches(g)) shared.push_back(g);
  CHECK(shared.size() > 8);
  CHECK(shared.front() == generation{300});

  // nothing that has changed is left out, wherever bases were forgotten
  const auto since = keys_of(*one.since(generation{300}));
  CHECK(since.size() == 1 + 399);
  CHECK(since.contains("at the end"));
  CHECK_FALSE(since.contains("key of 299"));
  CHECK(keys_of(*one.since(generation{2})).size() == 298 + 1 + 399);
}

TEST_CASE("what a record was at a base that is forgotten is told by what it was before that") {
  change_history h({.keys = 100, .bytes = 1 << 20, .step_bytes = 1 << 20, .steps = 2});
  const auto write = [&](std::uint64_t before, std::uint32_t sum, std::uint32_t after) {
    h.note(
        "a", [&] { return record_mark{.rsn = rsn{before}, .data_sum = sum}; },
        [&] { return after; });
  };
  h.begin(g1);
  write(3, 5, 5);
  h.step(g2);
  write(4, 5, 6);
  h.note("b");
  h.step(g3);
  h.step(generation{104});
  CHECK(h.earlier() == std::vector{g3, g1});
  const auto a = h.marks_of("a");
  REQUIRE(a.size() == 1);
  CHECK(a.front().age == 3);
  CHECK(a.front().mark == record_mark{rsn{3}, 5, true});
  CHECK(keys_of(*h.since(g1)) == std::set<bytes>{"a", "b"});
}

TEST_CASE("keys of megabytes are not noted by the dozen, many small ones are") {
  change_history h;
  h.begin(g1);
  for (char c = 'a'; c < 'd'; ++c) h.note(bytes(2 << 20, c));
  CHECK(h.state() == change_state::complete);
  for (char c = 'd'; c < 'z'; ++c) h.note(bytes(2 << 20, c));
  CHECK(h.state() == change_state::overflow);
  CHECK(h.size_bytes() < 100);
  h.step(g2);
  for (int i = 0; i < 500'000; ++i) h.note("a key of a usual length " + std::to_string(i));
  CHECK(h.size_bytes() > std::size_t{16} << 20);
  CHECK(h.state() == change_state::complete);
}

TEST_CASE("a store notes what it stores and erases, and forgets when its content is replaced") {
  temp_dir dir;
  auto opened = store::open({.file = dir / "x.db", .create_empty = true});
  REQUIRE(opened);
  store& s = *opened;
  REQUIRE(s.put("early", {}, "1"));
  s.changes().begin(g1);
  REQUIRE(s.put("a", {}, "1"));
  REQUIRE(s.erase("b"));
  REQUIRE(s.set_meta("m", "1"));
  const change several[] = {change::put("c", {}, "1"), change::erase("d")};
  REQUIRE(s.apply(several, durability::committed));
  REQUIRE(s.bulk_apply(std::vector{change::put("e", {}, "1"), change::erase("early")}));
  CHECK(keys_of(*s.changes().since(g1)) == std::set<bytes>{"a", "b", "c", "d", "e", "early"});
  CHECK(s.get("early")->has_value() == false);
  CHECK(s.get("e")->has_value());

  SUBCASE("wipe") { REQUIRE(s.wipe()); }
  SUBCASE("replace") {
    span_source nothing({});
    REQUIRE(s.replace(nothing));
  }
  CHECK(s.changes().state() == change_state::none);
}

TEST_CASE("a history can be reached back by what another node tells of the same contents") {
  change_history teller({.keys = 100, .bytes = 1 << 20, .step_bytes = 1 << 20, .steps = 3});
  teller.begin(g1);
  teller.note(
      "a", [] { return record_mark{.rsn = rsn{7}, .data_sum = 9}; }, [] { return 8U; });
  teller.step(g2);
  teller.note("b");
  teller.step(g3);

  change_history h({.keys = 100, .bytes = 1 << 20, .step_bytes = 4096, .steps = 3});
  h.begin(g3);
  h.note("c");
  const auto learn = [&] {
    std::vector<std::pair<byte_view, record_mark>> keys;
    const auto from = teller.visit_step_to(
        h.oldest(), [&](byte_view key, const record_mark& m) { keys.emplace_back(key, m); });
    return h.reach_back(from, keys);
  };
  CHECK(h.oldest() == g3);
  REQUIRE(learn());
  CHECK(h.oldest() == g2);
  REQUIRE(learn());
  CHECK(h.earlier() == std::vector{g2, g1});
  CHECK(keys_of(*h.since(g1)) == std::set<bytes>{"a", "b", "c"});
  CHECK(keys_of(*h.since(g2)) == std::set<bytes>{"b", "c"});
  CHECK(h.age_of("a") == 3);
  REQUIRE(h.marks_of("a").size() == 1);
  CHECK(h.marks_of("a").front().mark == record_mark{rsn{7}, 9, true});
  CHECK_FALSE(learn());  // nothing older is known
  CHECK(teller.visit_step_to(generation{5}, [](byte_view, const record_mark&) {}) ==
        generation::invalid);

  SUBCASE("once") { CHECK_FALSE(h.reach_back(g2, {})); }
  SUBCASE("in bounds") {
    const bytes large(5000, 'x');
    CHECK_FALSE(h.reach_back(generation{4}, {{large, {}}}));
    CHECK(h.reach_back(generation{4}, {}));
    CHECK_FALSE(h.reach_back(generation{3}, {}));  // more steps than are kept
  }
  SUBCASE("not by who knows nothing of its own content") {
    h.forget();
    CHECK_FALSE(h.reach_back(g1, {}));
    CHECK(h.visit_step_to(g3, [](byte_view, const record_mark&) {}) == generation::invalid);
  }
}
