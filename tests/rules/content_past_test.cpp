#include "protocol/rules/content_past.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>

#include "protocol/rules/lineage.hpp"

using namespace floe;

namespace {

/// The count, and the leader and its life.
generation made_by(std::uint32_t count, std::uint32_t leader, std::uint32_t life = 1) {
  return generation{0x80000000U | count << 12 | life << 6 | leader};
}

const generation g1 = made_by(1, 0), g2 = made_by(2, 0), g3 = made_by(3, 1), g4 = made_by(4, 2);

content_past after(std::initializer_list<generation> gone) {
  content_past p;
  for (const auto g : gone) p = gone_on(p, g, p.from.empty());
  return p;
}

}  // namespace

TEST_CASE(
    "of a leader's life the latest generation is remembered, and stands for those before it") {
  const auto p = after({g1, g2, g3});
  CHECK(p.from == std::vector{g3, g2});
  CHECK(came_from(p, g1));
  CHECK(came_from(p, g2));
  CHECK_FALSE(came_from(p, made_by(3, 0)));     // the same life, later
  CHECK_FALSE(came_from(p, made_by(1, 0, 2)));  // another life
  CHECK_FALSE(came_from(p, generation::invalid));
}

TEST_CASE("what a ctdbd has named, and what a client has put there, stands for itself") {
  const generation ctdbd{12345}, replaced = replaced_under(g2);
  auto p = after({g1, ctdbd, g2, replaced});
  CHECK(came_from(p, ctdbd));
  CHECK_FALSE(came_from(p, generation{12344}));
  CHECK(came_from(p, replaced));
  CHECK_FALSE(came_from(p, replaced_under(g1)));
}

TEST_CASE("not more lives are remembered than there is room for") {
  content_past p;
  for (std::uint32_t life = 1; life < 63; ++life)
    for (std::uint32_t leader = 0; leader < 4; ++leader)
      p = gone_on(p, made_by(life * 4 + leader, leader, life), false);
  CHECK(p.from.size() == past_limit);
  CHECK(p.from.front() == made_by(62 * 4 + 3, 3, 62));
}

TEST_CASE("what was stored where the others came from gives way to what they have written since") {
  const auto killed = written_in(after({g1}), g1);
  const auto others = written_in(gone_on(after({g1}), g2, false), g2);
  CHECK(gives_way(killed, others));
  CHECK_FALSE(gives_way(others, killed));
  // also if it was recovered alone since, as often as you like
  auto alone = killed;
  for (std::uint32_t i = 2; i < 9; ++i) alone = gone_on(alone, made_by(i, 1, 2), false);
  CHECK(gives_way(alone, others));
  CHECK_FALSE(gives_way(others, alone));
}

TEST_CASE("nothing was written since they parted: who went on without the other has decided") {
  const auto killed = after({g1});
  const auto others = gone_on(after({g1}), g2, false);
  CHECK(gives_way(killed, others));
  CHECK_FALSE(gives_way(others, killed));
  // both went on: the number decides
  const auto alone = gone_on(after({g1}), g3, false);
  CHECK_FALSE(gives_way(alone, others));
  CHECK_FALSE(gives_way(others, alone));
}

TEST_CASE(
    "what the others write after a node has left in good order does not end because it goes on "
    "alone") {
  const auto before = written_in(after({g1, g2}), g2);
  const auto members = gone_on(before, g3, false), left = left_with(before, g3);
  // nothing was written since: they have gone on
  CHECK(gives_way(left, members));
  CHECK_FALSE(gives_way(members, left));
  const auto wrote = written_in(members, g3);
  auto alone = left;
  for (std::uint32_t i = 4; i < 9; ++i) {
    CHECK(gives_way(alone, wrote));
    CHECK_FALSE(gives_way(wrote, alone));
    alone = gone_on(alone, made_by(i, 1, 2), false);
  }
  // once it has written something itself there are two histories
  alone = written_in(alone, made_by(8, 1, 2));
  CHECK_FALSE(gives_way(alone, wrote));
  CHECK_FALSE(gives_way(wrote, alone));
  // who is taken in again has what they have
  CHECK_FALSE(gives_way(gone_on(wrote, g4, false), gone_on(wrote, g4, false)));
}

TEST_CASE("two histories, or one that tells nothing: neither gives way") {
  const auto here = written_in(after({g1, g2}), g2), there = written_in(after({g1, g3}), g3);
  for (const auto& other : {there, content_past{}}) {
    CHECK_FALSE(gives_way(here, other));
    CHECK_FALSE(gives_way(other, here));
  }
}

TEST_CASE("who was given a content knows less of when it was written than who gave it") {
  // 0 has written in g2, 1 was given that in g3; 2 has had all that, and has written since
  const past_claim gave{pnn{0}, 7, gone_on(after({g1, g2}), g3, false)};
  const past_claim got{pnn{1}, 7, gone_on(after({g1}), g3, true)};
  const past_claim knew{pnn{2}, 8, written_in(after({g1, g2}), g4)};
  CHECK(latest_contents(std::array{gave, got, knew}) == std::vector{pnn{2}});
  // a transaction that only one of them has is in the highest number, and may be acknowledged
  const past_claim more{pnn{1}, 8, written_in(got.past, g3)};
  CHECK(latest_contents(std::array{gave, more, knew}).size() == 3);
}

TEST_CASE("who cannot say when a content was written says nothing against those who can") {
  const auto wiped = replaced_under(g2);
  const past_claim wiper{pnn{0}, 0, gone_on(gone_on(after({g1}), wiped, true), g3, false)};
  const past_claim got{pnn{1}, 0, gone_on({}, g3, false)};
  REQUIRE(got.past.written == generation::invalid);
  for (const auto& c : {wiper, got}) CHECK(shared_past(c, std::array{wiper, got}).written == wiped);
  // nobody can: it may have been up to the content's own generation
  CHECK(shared_past(got, std::array{got}).written == g3);
}

TEST_CASE("a recovery's content came from those of all participants") {
  const std::array claims{past_claim{pnn{0}, 7, written_in(after({g1, g2}), g2)},
                          past_claim{pnn{1}, 6, after({g1, g3})}, past_claim{pnn{2}, 0, {}}};
  const auto p = joined(claims, pnn{0});
  CHECK(p.written == g2);
  for (const auto g : {g1, g2, g3}) CHECK(came_from(p, g));
  CHECK_FALSE(came_from(p, g4));
  // of a content that came from nowhere nobody knows when it was written
  CHECK(joined(claims, pnn{2}).written == generation::invalid);
}

TEST_CASE("claims in a circle leave everybody") {
  content_past a{.written = g1, .from = {g1, g2}}, b{.written = g2, .from = {g2, g3}},
      c{.written = g3, .from = {g3, g1}};
  const std::array claims{past_claim{pnn{0}, 1, a}, past_claim{pnn{1}, 1, b},
                          past_claim{pnn{2}, 1, c}};
  CHECK_FALSE(latest_contents(claims).empty());
}

namespace {

/// A persistent database in a cluster that loses and starts nodes all the time. A transaction is acknowledged if all members of
/// the generation have it; a recovery goes on from the best copy of a majority. Nothing that was acknowledged may be missing then.
struct small_cluster {
  struct disk {
    content_past past{};
    std::vector<int> log{};  ///< the transactions, in order: its length is the sequence number
    bool runs = true;
    std::uint32_t life = 1;
  };
  std::mt19937_64 chance;
  std::array<disk, 5> nodes{};
  std::vector<std::size_t> members{};
  generation now = generation::invalid;
  std::uint32_t count = 0;
  int next = 0;
  std::vector<int> acknowledged{};

  std::uint64_t pick(std::uint64_t n) { return chance() % n; }

  void recover() {
    std::vector<std::size_t> here;
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (nodes[i].runs && pick(4) > 0) here.push_back(i);
    if (2 * here.size() <= nodes.size()) return;
    std::vector<past_claim> claims;
    for (const auto i : here)
      claims.push_back({pnn{static_cast<std::uint32_t>(i)}, nodes[i].log.size(), nodes[i].past});
    const auto latest = latest_contents(claims);
    const auto best =
        *std::ranges::max_element(latest, {}, [&](pnn n) { return nodes[number(n)].log.size(); });
    const auto content = nodes[number(best)].log;
    for (const int t : acknowledged) REQUIRE(std::ranges::find(content, t) != content.end());
    now = made_by(++count, static_cast<std::uint32_t>(here[0]), nodes[here[0]].life);
    const bool cut = pick(8) == 0;  // only some commit, and nobody goes on from there
    members = cut ? std::vector<std::size_t>{} : here;
    // somebody leaves with it, where enough stay
    const bool leaves = 2 * (here.size() - 1) > nodes.size() && pick(4) == 0;
    const auto leaver = leaves ? here[pick(here.size())] : nodes.size();
    std::erase(members, leaver);
    const auto past = joined(claims, best);
    for (const auto i : here) {
      if (cut && pick(2) == 0) continue;
      nodes[i].past = i == leaver ? left_with(past, now)
                                  : gone_on(past, now, past.written == generation::invalid);
      nodes[i].log = content;
    }
  }

  void transact() {
    const int t = next++;
    bool all = !members.empty();
    const auto at = members.empty() ? 0 : nodes[members[0]].log.size();
    for (const auto i : members) {
      const bool stores = nodes[i].runs && nodes[i].log.size() == at && pick(10) > 0;
      all &= stores;
      if (!stores) continue;
      nodes[i].log.push_back(t);
      nodes[i].past = written_in(nodes[i].past, now);
    }
    if (all) acknowledged.push_back(t);
    if (!all) members.clear();  // undecided: nothing more before a recovery
  }

  void disturb() {
    auto& n = nodes[pick(nodes.size())];
    n.runs = !n.runs;
    if (n.runs) ++n.life;
    members.clear();
  }
};

}  // namespace

TEST_CASE("any history: what was acknowledged is in the content that a majority goes on with") {
  std::size_t acknowledged = 0;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    CAPTURE(seed);
    small_cluster c{.chance = std::mt19937_64(seed)};
    for (int i = 0; i < 300; ++i) switch (c.pick(4)) {
        case 0: c.disturb(); break;
        case 1: c.recover(); break;
        default: c.transact();
      }
    acknowledged += c.acknowledged.size();
  }
  CHECK(acknowledged > 1000);
}
