// A recovery by difference decides what a merge of the whole contents decides.
#include "storage/difference.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>

#include "protocol/wire/codec.hpp"

using namespace floe;

namespace {

constexpr pnn a{0}, b{1}, c{2}, d{3};
constexpr generation own_part{77};
using decision = difference_merge::decision;

record_view copy(byte_view key, std::uint64_t rsn, pnn dmaster, byte_view data,
                 std::uint32_t flags = record_flag::migrated_with_data) {
  return {key, {.rsn = floe::rsn{rsn}, .dmaster = dmaster, .flags = flags}, data};
}

struct result {
  std::map<bytes, decision> all;
  const decision& of(byte_view key) const { return all.at(bytes(key)); }
};
result decide(const difference_merge& m) {
  result r;
  REQUIRE(m.decide([&](const decision& x) { r.all[bytes(x.key)] = x; }));
  return r;
}

difference_merge merge_of(const std::vector<pnn>& members, pnn asked_first,
                          const std::vector<returning_node>& behind = {}, bool all_here = true) {
  return {members, behind, asked_first, all_here};
}

/// All records of a node, as it sends them.
struct sent_content {
  std::vector<bytes> encoded{};
  std::vector<rec_buffer> buffers{};
};
sent_content content_of(std::vector<record_view> records, std::size_t in_a_buffer) {
  std::ranges::sort(records, {}, [](const record_view& r) { return ordered_key(r.key); });
  sent_content sent;
  rec_buffer_builder builder(db_id{7});
  for (const auto& r : records) {
    builder.add(r.key, r.header, r.data);
    if (builder.count() == in_a_buffer) sent.encoded.push_back(builder.take());
  }
  if (!builder.empty()) sent.encoded.push_back(builder.take());
  for (const auto& e : sent.encoded) sent.buffers.push_back(*wire::decode<rec_buffer>(e));
  return sent;
}

}  // namespace

TEST_CASE("what one has changed goes to the others only") {
  auto m = merge_of({a, b, c}, a);
  m.changed(b, "k", copy("k", 5, b, "new"));
  CHECK(m.missing() == std::map<pnn, std::vector<byte_view>>{{a, {"k"}}});
  CHECK_FALSE(m.decide([](const decision&) {}));
  m.unchanged(a, "k", copy("k", 4, b, "old"));
  CHECK(m.missing().empty());
  const auto r = decide(m);
  CHECK(r.of("k").winner->data == "new");
  CHECK(r.of("k").winner->header.dmaster == b);
  CHECK(r.of("k").lack == std::vector{a, c});
}

TEST_CASE("who has not changed it is asked, not the one that is asked first") {
  auto m = merge_of({a, b, c}, a);
  m.changed(a, "k", copy("k", 5, a, "new"));
  CHECK(m.missing() == std::map<pnn, std::vector<byte_view>>{{b, {"k"}}});
}

TEST_CASE("a record that everybody has changed needs no other copy; the highest rsn wins") {
  auto m = merge_of({a, b}, a);
  m.changed(a, "k", copy("k", 5, b, "given away"));
  m.changed(b, "k", copy("k", 6, b, "stored since"));
  CHECK(m.missing().empty());
  const auto r = decide(m);
  CHECK(r.of("k").winner->data == "stored since");
  CHECK(r.of("k").lack == std::vector{a});
}

TEST_CASE("a record on its way when the packet was lost arrives with the recovery") {
  auto m = merge_of({a, b, c}, c);
  m.changed(a, "k", copy("k", 5, b, "x"));  // gave it to b, who never got it
  m.unchanged(c, "k", copy("k", 5, a, "x"));
  const auto r = decide(m);
  CHECK(r.of("k").winner->header.dmaster == b);
  CHECK(r.of("k").lack == std::vector{b, c});
}

TEST_CASE("an empty record is dropped everywhere, one that is gone in one place is not") {
  auto m = merge_of({a, b, c}, c);
  m.changed(a, "deleted", copy("deleted", 9, a, ""));
  m.unchanged(c, "deleted", copy("deleted", 8, a, "x"));
  m.changed(a, "dropped here", std::nullopt);
  m.unchanged(c, "dropped here", copy("dropped here", 1, b, "x"));
  m.changed(b, "came and went", std::nullopt);
  m.unchanged(c, "came and went", std::nullopt);
  const auto r = decide(m);
  CHECK_FALSE(r.of("deleted").winner);
  CHECK(r.of("deleted").lack == std::vector{a, b, c});
  CHECK(r.of("dropped here").winner->data == "x");
  CHECK(r.of("dropped here").lack == std::vector{a});
  CHECK_FALSE(r.of("came and went").winner);
  CHECK(r.of("came and went").lack == std::vector{a, c});
}

TEST_CASE("who is behind gets all that the members have changed") {
  auto m = merge_of({a, b}, a, {{c}});
  m.unchanged(a, "of a step", copy("of a step", 3, b, "x"));
  m.touched("of a step", {.after = 1});
  const auto r = decide(m);
  CHECK(r.of("of a step").winner->data == "x");
  CHECK(r.of("of a step").lack == std::vector{c});
}

TEST_CASE("who comes back keeps what nobody has touched since") {
  auto m = merge_of({a, b}, a, {{c}});
  const auto theirs = copy("k", 7, c, "stored by c");
  m.returned(c, "k", theirs);
  CHECK(m.missing() == std::map<pnn, std::vector<byte_view>>{{a, {"k"}}});
  SUBCASE("a record that the others have as it was") {
    m.unchanged(a, "k", copy("k", 5, c, "base"));
  }
  SUBCASE("one that only it has ever had") { m.unchanged(a, "k", std::nullopt); }
  SUBCASE("one that was given to it before they parted") {
    m.unchanged(a, "k", copy("k", 5, c, "base"));
    m.touched("k", {.before = 1});
  }
  const auto r = decide(m);
  CHECK(r.of("k").winner->data == "stored by c");
  CHECK(r.of("k").winner->header.dmaster == c);
  CHECK(r.of("k").lack == std::vector{a, b});
  CHECK(r.of("k").kept);
  CHECK_FALSE(r.of("k").lost);
}

TEST_CASE("one that has recovered by itself keeps what the members have left as it was") {
  auto m = merge_of({a, b}, a, {{c, own_part}});
  m.returned(c, "k", copy("k", 7, c, "stored by c"));
  SUBCASE("what was its own when they parted") { m.unchanged(a, "k", copy("k", 5, c, "base")); }
  SUBCASE("what was a member's") { m.unchanged(a, "k", copy("k", 5, a, "base")); }
  SUBCASE("what nobody had") { m.unchanged(a, "k", std::nullopt); }
  SUBCASE("what was given to it before they parted") {
    m.unchanged(a, "k", copy("k", 5, c, "base"));
    m.touched("k", {.before = 1});
  }
  SUBCASE("what it has written, and the members have only moved since") {
    m.changed(a, "k", copy("k", 9, b, "base"));
    m.touched("k", {.after = 1});
    m.was("k", {.parted_before = 1, .age = 1, .mark = mark_of({.rsn = rsn{6}}, "base")});
    m.changed(b, "k", copy("k", 9, b, "base"));
    m.returner_was(c, "k", 1, mark_of({.rsn = rsn{6}}, "base"));
  }
  const auto r = decide(m);
  CHECK(r.of("k").kept);
  CHECK(r.of("k").winner->data == "stored by c");
  CHECK(number(r.of("k").winner->header.rsn) >= 7);
}

TEST_CASE("of a part that comes back the best copy counts, and its deletions") {
  auto m = merge_of({a, b}, a, {{c, own_part}, {d, own_part}});
  m.unchanged(a, "k", copy("k", 5, c, "base"));
  m.returned(c, "k", copy("k", 7, d, "older"));
  m.returned(d, "k", copy("k", 8, d, "newer"));
  m.unchanged(a, "deleted", copy("deleted", 5, c, "base"));
  m.returned(c, "deleted", std::nullopt);
  m.returner_was(c, "deleted", 1, mark_of({.rsn = rsn{5}}, "base"));
  m.unchanged(a, "never had", copy("never had", 5, a, "base"));
  m.returned(c, "never had", std::nullopt);
  const auto r = decide(m);
  CHECK(r.of("k").winner->data == "newer");
  CHECK(r.of("k").lack == std::vector{a, b, c});
  CHECK_FALSE(r.of("deleted").winner);
  CHECK(r.of("never had").winner->data == "base");
}

TEST_CASE("of two parts it matters who has written the record since these two parted") {
  constexpr generation with_members{3}, together{5}, one{10}, other{20};
  // both have "before" from when they were one part, and c's has moved since; d's part has written "after", or deleted it
  for (const bool other_is_later : {false, true})
    for (const bool deleted : {false, true}) {
      const auto of_c = other_is_later ? one : other, of_d = other_is_later ? other : one;
      auto m = merge_of({a}, a,
                        {{.node = c, .part = of_c, .earlier = {together, with_members}},
                         {.node = d, .part = of_d, .earlier = {together, with_members}}});
      m.unchanged(a, "k", copy("k", 4, a, "old"));
      m.returned(c, "k", copy("k", 12, c, "before"));
      m.returner_was(c, "k", 3, mark_of({.rsn = rsn{4}}, "old"));
      m.returner_was(c, "k", 2, mark_of({.rsn = rsn{6}}, "before"));
      m.returned(d, "k", deleted ? std::nullopt : std::optional(copy("k", 8, d, "after")));
      m.returner_was(d, "k", 3, mark_of({.rsn = rsn{4}}, "old"));
      m.returner_was(d, "k", 2, mark_of({.rsn = rsn{6}}, "before"));
      const auto r = decide(m);
      CHECK(r.of("k").kept);
      if (deleted)
        CHECK_FALSE(r.of("k").winner);
      else
        CHECK(r.of("k").winner->data == "after");
    }
}

TEST_CASE("of two parts one may be where the other has left it") {
  constexpr generation with_members{3}, left{5}, gone_on{10};
  for (const bool wrote_before : {false, true}) {
    auto m = merge_of({a}, a,
                      {{.node = c, .part = left, .earlier = {with_members}},
                       {.node = d, .part = gone_on, .earlier = {left, with_members}}});
    m.unchanged(a, "k", copy("k", 4, a, "old"));
    m.returned(c, "k", copy("k", 9, c, wrote_before ? "of c alone" : "before"));
    m.returner_was(c, "k", 2, mark_of({.rsn = rsn{4}}, "old"));
    if (wrote_before) m.returner_was(c, "k", 1, mark_of({.rsn = rsn{6}}, "before"));
    m.returned(d, "k", copy("k", 8, d, wrote_before ? "before" : "after"));
    m.returner_was(d, "k", 3, mark_of({.rsn = rsn{4}}, "old"));
    if (!wrote_before) m.returner_was(d, "k", 2, mark_of({.rsn = rsn{6}}, "before"));
    CHECK(decide(m).of("k").winner->data == (wrote_before ? "of c alone" : "after"));
  }
}

TEST_CASE("that a member has written a record is told with it, whatever it has now") {
  auto m = merge_of({a, b}, a);
  m.changed(a, "back", copy("back", 6, a, "old"), {.written = true});
  m.changed(a, "gone", std::nullopt, {.written = true});
  m.changed(a, "locked", copy("locked", 6, a, "old"));
  m.unchanged(b, "back", copy("back", 4, b, "old"));
  m.unchanged(b, "gone", std::nullopt);
  m.unchanged(b, "locked", copy("locked", 4, b, "old"));
  const auto r = decide(m);
  CHECK(r.of("back").written);
  CHECK(r.of("gone").written);
  CHECK(r.of("gone").lack == std::vector{b});
  CHECK_FALSE(r.of("locked").written);
}

TEST_CASE("while somebody is away an empty record stays, with its rsn") {
  auto m = merge_of({a, b}, a, {}, false);
  m.changed(a, "k", copy("k", 6, c, ""));
  m.unchanged(b, "k", std::nullopt);
  const auto r = decide(m);
  REQUIRE(r.of("k").winner);
  CHECK(r.of("k").winner->data.empty());
  CHECK(r.of("k").winner->header.rsn == rsn{6});
  CHECK(r.of("k").winner->header.dmaster == c);
  CHECK(r.of("k").lack == std::vector{b});
}

TEST_CASE("one with nothing in common gives what the members have never had, and gets everything") {
  auto m = merge_of({a, b}, a, {{.node = c, .stranger = true}});
  m.returned(c, "new", copy("new", 2, c, "stored by c"));
  m.unchanged(a, "new", std::nullopt);
  m.returned(c, "gone", copy("gone", 9, c, "stored by c"));
  m.unchanged(a, "gone", std::nullopt);
  m.touched("gone", {.after = 1});
  m.returned(c, "theirs", copy("theirs", 9, c, "stored by c"));
  m.unchanged(a, "theirs", copy("theirs", 1, a, "of a"));
  const auto r = decide(m);
  CHECK(r.of("new").kept);
  CHECK(r.of("new").winner->data == "stored by c");
  CHECK(r.of("new").lack == std::vector{a, b});
  CHECK_FALSE(r.of("gone").winner);
  CHECK(r.of("theirs").winner->data == "of a");
  CHECK(r.of("theirs").lack.empty());  // it is filled with everything
}

TEST_CASE(
    "members that have only looked for what one with nothing in common brings have never had it") {
  auto m = merge_of({a, b}, a, {{.node = c, .stranger = true}, {.node = d, .stranger = true}});
  const auto looked_for = [&](byte_view key, std::uint32_t sum, bool written) {
    m.returned(c, key, copy(key, 2, c, "older"));
    m.returned(d, key, copy(key, 3, d, "stored by d"));
    m.changed(a, key, copy(key, 7, b, ""));
    m.unchanged(b, key, std::nullopt);
    m.touched(key, {.after = 3});
    m.was(key, {.parted_before = 0,
                .age = 1,
                .mark = {.rsn = rsn{0}, .data_sum = sum, .written = written}});
  };
  looked_for("looked for", 0, false);
  looked_for("deleted", 17, false);
  looked_for("written and deleted", 0, true);
  m.returned(d, "nobody tells", copy("nobody tells", 3, d, "stored by d"));
  m.changed(a, "nobody tells", copy("nobody tells", 7, b, ""));
  m.unchanged(b, "nobody tells", std::nullopt);
  m.touched("nobody tells", {.after = 3});
  const auto r = decide(m);
  CHECK(r.of("looked for").kept);
  REQUIRE(r.of("looked for").winner);
  CHECK(r.of("looked for").winner->data == "stored by d");
  CHECK(r.of("looked for").winner->header.rsn == rsn{8});
  CHECK(r.of("looked for").lack == std::vector{a, b});
  for (const char* key : {"deleted", "written and deleted", "nobody tells"}) {
    CHECK_FALSE(r.of(key).winner);
    CHECK_FALSE(r.of(key).kept);
  }
}

TEST_CASE(
    "of a part that has gone on from the base what is the later one counts, or what it has written "
    "since") {
  auto m = merge_of({a, b}, a, {{.node = c, .part = own_part, .from_base = true}});
  const auto meet = [&](byte_view key, const record_view& theirs, const record_view& ours) {
    m.returned(c, key, theirs);
    m.changed(a, key, ours);
    m.unchanged(b, key, copy(key, 1, a, "base"));
  };
  meet("theirs later", copy("theirs later", 4, c, "of c"), copy("theirs later", 3, c, "of a"));
  meet("ours later", copy("ours later", 3, a, "of c"), copy("ours later", 4, a, "of a"));
  meet("theirs written", copy("theirs written", 4, c, "of c"),
       copy("theirs written", 6, a, "of a"));
  m.returner_was(c, "theirs written", 1, mark_of({.rsn = rsn{3}}, "before"));
  const auto r = decide(m);
  CHECK(r.of("theirs later").winner->data == "of c");
  CHECK(r.of("ours later").winner->data == "of a");
  CHECK(r.of("theirs written").winner->data == "of c");
  CHECK(r.of("theirs written").winner->header.rsn == rsn{7});
}

TEST_CASE("who comes back loses what others have touched since") {
  auto m = merge_of({a, b}, a, {{c}});
  m.returned(c, "k", copy("k", 7, c, "stored by c"));
  std::optional<record_view> has = copy("k", 5, a, "theirs");
  SUBCASE("after the first commit without it") { m.touched("k", {.after = 1}); }
  SUBCASE("and dropped with that commit") {
    m.touched("k", {.before = 1});
    has.reset();
  }
  SUBCASE("or written, if it has recovered by itself") {
    m = merge_of({a, b}, a, {{c, own_part}});
    m.returned(c, "k", copy("k", 7, c, "stored by c"));
    m.touched("k", {.after = 1});
    m.was("k", {.parted_before = 1, .age = 2, .mark = mark_of({.rsn = rsn{4}}, "base")});
    m.was("k", {.parted_before = 1, .age = 1, .mark = mark_of({.rsn = rsn{5}}, "theirs")});
  }
  SUBCASE("or something that nobody knows any more") {
    m = merge_of({a, b}, a, {{c, own_part}});
    m.returned(c, "k", copy("k", 7, c, "stored by c"));
    m.touched("k", {.after = 1});
  }
  m.unchanged(a, "k", has);
  const auto r = decide(m);
  CHECK(r.of("k").winner.has_value() == has.has_value());
  if (has) CHECK(r.of("k").winner->data == "theirs");
  CHECK(r.of("k").lack == std::vector{c});
  CHECK_FALSE(r.of("k").kept);
  CHECK(r.of("k").lost);
}

TEST_CASE("a deletion of one that comes back counts as well, and an older copy is no loss") {
  auto m = merge_of({a, b}, a, {{c}, {d}});
  m.returned(c, "deleted", copy("deleted", 7, c, ""));
  m.unchanged(a, "deleted", copy("deleted", 5, c, "x"));
  m.returned(d, "given away", copy("given away", 5, a, "x"));
  m.changed(a, "given away", copy("given away", 6, a, "y"));
  m.touched("given away", {.after = 2});
  m.unchanged(b, "given away", copy("given away", 4, d, "x"));
  const auto r = decide(m);
  CHECK_FALSE(r.of("deleted").winner);
  CHECK(r.of("deleted").kept);
  CHECK(r.of("given away").winner->data == "y");
  CHECK_FALSE(r.of("given away").lost);
}

TEST_CASE("random histories: everybody ends with what a whole merge of the same copies chooses") {
  std::mt19937_64 random(4711);
  const std::array nodes{a, b, c, d};
  for (int round = 0; round < 300; ++round) {
    // a base, then for each node and key perhaps a change by the rules of ownership
    struct held {
      bool there = false;
      record_header header;
      bytes data;
    };
    std::map<bytes, std::array<held, 4>> now;
    std::array<std::set<bytes>, 4> touched;
    std::map<bytes, record_mark> bases;
    for (int k = 0; k < 12; ++k) {
      auto& copies = now["key" + std::to_string(k)];
      const bool there = random() % 4 != 0;
      const record_header h{.rsn = floe::rsn{random() % 5},
                            .dmaster = nodes[random() % 4],
                            .flags = record_flag::migrated_with_data};
      for (auto& x : copies) x = {there, h, "base"};
      bases["key" + std::to_string(k)] = there ? mark_of(h, "base") : record_mark{};
      if (!there) continue;
      for (int step = 0; step < 6 && random() % 2 == 0; ++step) {
        std::size_t owner = 4;
        for (std::size_t n = 0; n < 4; ++n)
          if (copies[n].header.dmaster == nodes[n] && copies[n].there) owner = n;
        if (owner == 4) break;  // on its way for ever
        auto& mine = copies[owner];
        touched[owner].insert("key" + std::to_string(k));
        if (random() % 2) {
          mine.header.rsn = next(mine.header.rsn);
          mine.data = random() % 3 ? "data " + std::to_string(random() % 1000) : "";
        } else {
          const std::size_t to = random() % 4;
          if (to == owner) continue;
          mine.header.dmaster = nodes[to];
          if (random() % 4 == 0) break;  // the packet is lost
          copies[to] = {
              true,
              {.rsn = next(mine.header.rsn), .dmaster = nodes[to], .flags = mine.header.flags},
              mine.data};
          touched[to].insert("key" + std::to_string(k));
        }
      }
    }
    auto m = merge_of({a, b, c, d}, nodes[random() % 4]);
    const auto shown = [&](const bytes& key, std::size_t n) -> std::optional<record_view> {
      const auto& x = now.at(key)[n];
      if (!x.there) return std::nullopt;
      return record_view{now.find(key)->first, x.header, x.data};
    };
    // some could not note what they have changed
    std::vector<std::size_t> overflowed;
    for (std::size_t n = 0; n < 3 && round % 2; ++n)
      if (random() % 3 == 0) overflowed.push_back(n);
    const std::size_t reference = 3;
    std::array<sent_content, 4> sent;
    for (std::size_t n = 0; n < 4; ++n) {
      std::vector<record_view> all;
      for (const auto& [key, copies] : now)
        if (const auto r = shown(key, n)) all.push_back(*r);
      sent[n] = content_of(std::move(all), 1 + random() % 6);
    }
    // some tell which of their copies beat what was before
    std::set<bytes> not_asked_for;
    for (std::size_t n = 0; n < 4; ++n)
      if (std::ranges::find(overflowed, n) == overflowed.end())
        for (const auto& key : touched[n]) {
          const auto has = shown(key, n);
          const bool newer = random() % 2 && has && !has->data.empty() &&
                             beats_what_was(has->header, data_sum(has->data), nodes[n], bases[key]);
          if (newer) not_asked_for.insert(key);
          m.changed(nodes[n], now.find(key)->first, has, {.newer = newer});
        }
    std::vector<difference_merge::whole_content> whole;
    for (const auto n : overflowed) whole.push_back({nodes[n], sent[n].buffers});
    if (!whole.empty()) m.compare_whole(whole, {nodes[reference], sent[reference].buffers});
    for (const auto& [n, keys] : m.missing())
      for (const byte_view key : keys) {
        CHECK_FALSE(not_asked_for.contains(bytes(key)));
        m.unchanged(n, key, shown(bytes(key), number(n)));
      }
    const auto r = decide(m);
    for (auto& [key, copies] : now) {
      // the whole merge: the highest rsn, the owner's copy among equals
      const held* best = nullptr;
      std::size_t holder = 0;
      for (std::size_t n = 0; n < 4; ++n) {
        if (!copies[n].there) continue;
        const record_claim mine{copies[n].header, nodes[n], true};
        if (!best || beats(mine, record_claim{best->header, nodes[holder], true}, a))
          best = &copies[n], holder = n;
      }
      const bool drop = !best || best->data.empty();
      if (const auto decided = r.all.find(key); decided == r.all.end()) {
        for (const auto& x : copies) CHECK(x.there == copies[0].there);
      } else {
        CHECK(decided->second.winner.has_value() == !drop);
        if (!drop) {
          CHECK(decided->second.winner->data == best->data);
          CHECK(decided->second.winner->header.rsn == best->header.rsn);
        }
        for (std::size_t n = 0; n < 4; ++n) {
          const bool lacks =
              std::ranges::find(decided->second.lack, nodes[n]) != decided->second.lack.end();
          const auto has = shown(key, n);
          const bool same = has.has_value() == decided->second.winner.has_value() &&
                            (!has || (has->data == decided->second.winner->data &&
                                      has->header == decided->second.winner->header));
          CHECK(lacks == !same);
        }
      }
    }
  }
}
