/// Two streams per pair of nodes: the table, and two nodes that end connected whatever happened.
#include "protocol/rules/link_pair.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <optional>
#include <random>
#include <utility>
#include <vector>

using namespace floe;
using phase = pair_status::phase;
using enum pair_event;

namespace {

constexpr pair_status both_up{out_state::up, true, phase::connected};

std::vector<pair_status> all_states() {
  std::vector<pair_status> all;
  for (auto o : {out_state::none, out_state::opening, out_state::up})
    for (bool i : {false, true}) {
      const bool both = o == out_state::up && i;
      all.push_back({.out = o, .in = i, .now = both ? phase::greeting : phase::apart});
      all.push_back(all.back());
      all.back().recognisable = all.back().doubt = true;
      if (!both) continue;
      for (bool aside : {false, true})
        for (bool recognisable : {false, true})
          all.push_back({o, i, phase::connected, aside, recognisable});
    }
  return all;
}

}  // namespace

/// What the node was told.
static bool counts(const pair_status& s) { return s.now == phase::connected || s.doubt; }

TEST_CASE("link pair: in every state every event leads to a state of the table") {
  for (const auto& s : all_states())
    for (auto e : {open, out_up, out_lost, out_refused, accepted, in_lost, aside_lost, lives,
                   greeted, greeted_ctdbd, greeted_again, refused, broken, violated, doubt_over}) {
      const auto r = step(s, e);
      const bool both = r.next.out == out_state::up && r.next.in;
      CHECK(both == (r.next.now != phase::apart));
      if (counts(s) != counts(r.next))
        CHECK(std::pair(r.down, r.up) == std::pair(counts(s), !counts(s)));
      else
        CHECK(r.down == r.up);
      CHECK(r.doubts == (!s.doubt && r.next.doubt));
      CHECK(r.relinked == (s.doubt && !r.up && r.next.now == phase::connected));
      // an out that is gone is always opened again, at once or later
      if (s.out != out_state::none && r.next.out == out_state::none) CHECK(r.open_later);
      CHECK(!(r.open && r.next.out != out_state::opening));
      CHECK((r.take_in || r.put_aside) == (e == accepted));
      if (r.close_in) CHECK(s.in);
      if (r.close_out) CHECK(s.out != out_state::none);
      if (r.close_aside || r.take_aside) CHECK(s.aside);
    }
}

TEST_CASE("link pair: one half is not broken by the other before both were up") {
  CHECK(step({out_state::up, false, phase::apart}, in_lost).next.out == out_state::up);
  CHECK(step({out_state::opening, true, phase::apart}, out_lost).next.in);
  CHECK(step({out_state::up, true, phase::greeting}, in_lost).next ==
        pair_status{out_state::up, false, phase::apart});
}

TEST_CASE(
    "link pair: connected, every loss breaks both; a ctdbd is lost, somebody who can be recognised "
    "is asked again") {
  for (auto e : {out_lost, in_lost, broken}) {
    const auto r = step(both_up, e);
    CHECK(r.down);
    CHECK(r.close_in);
    CHECK(r.close_out);
    CHECK(r.next == pair_status{});
    auto known = both_up;
    known.recognisable = true;
    const auto asked = step(known, e);
    CHECK(!asked.down);
    CHECK(asked.doubts);
    CHECK(asked.open);
    CHECK(asked.next ==
          pair_status{.out = out_state::opening, .recognisable = true, .doubt = true});
  }
}

TEST_CASE("link pair: a second stream does not end the first; when that ends it is the next") {
  const auto r = step(both_up, accepted);
  CHECK(r.put_aside);
  CHECK(!r.down);
  CHECK(r.next == pair_status{out_state::up, true, phase::connected, true});
  const auto alive = step(r.next, lives);
  CHECK(alive.close_aside);
  CHECK(alive.next == both_up);
  const auto ended = step(r.next, out_lost);
  CHECK(ended.take_aside);
  CHECK(ended.next == pair_status{.in = true});
}

TEST_CASE(
    "link pair: in doubt a refusal, another process or silence are the node's end; the same "
    "process is no end") {
  const pair_status doubt{.out = out_state::opening, .recognisable = true, .doubt = true};
  CHECK(step(doubt, out_refused).down);
  CHECK(step(doubt, doubt_over).down);
  CHECK(!step(doubt, out_lost).down);
  const pair_status greeting{out_state::up, true, phase::greeting, false, true, true};
  const auto same = step(greeting, greeted_again);
  CHECK(same.relinked);
  CHECK(!same.down);
  CHECK(!same.up);
  const auto other = step(greeting, greeted);
  CHECK(other.down);
  CHECK(other.up);
  CHECK(step(greeting, refused).down);
  CHECK(step(greeting, broken).down);
  auto known = both_up;
  known.recognisable = true;
  CHECK(step(known, violated).down);
}

TEST_CASE("link pair: only who does not fit waits long") {
  const auto r = step({out_state::up, true, phase::greeting}, refused);
  CHECK(r.long_pause);
  CHECK(!r.up);
  CHECK(!step(both_up, broken).long_pause);
}

namespace {

/// Two ends, and streams between them whose events arrive in any order that a network permits:
/// those of one stream in order, those of different streams as chance will have it.
class two_ends {
 public:
  explicit two_ends(std::uint64_t seed) : chance_(seed) { end(0).openings = end(1).openings = 1; }
  void disturb() {
    for (int i = 0; i < 200; ++i) {
      deliver_one();
      if (chance_() % 8 == 0 && !streams_.empty()) cut(streams_[chance_() % streams_.size()]);
      if (chance_() % 16 == 0) act(chance_() % 2, broken);
    }
  }
  /// True when both are connected and nothing is under way any more.
  bool settle() {
    for (int i = 0; i < 2000; ++i) {
      if (!deliver_one()) break;
    }
    const auto up = [](const pair_status& s) {
      return s.now == phase::connected && !s.aside && !s.doubt;
    };
    return up(end(0).s) && up(end(1).s);
  }

 private:
  struct stream {
    int opener = 0;
    bool alive[2] = {true, true};      ///< the opener's end, the acceptor's
    std::deque<pair_event> news[2]{};  ///< not yet seen, by opener and acceptor
  };
  struct node_end {
    pair_status s;
    int openings = 0;  ///< due attempts
    std::optional<std::size_t> out, in, aside;
    bool asked = false;
  };
  node_end& end(std::size_t i) { return ends_[i]; }

  void cut(stream& x) {
    for (int side : {0, 1})
      if (x.alive[side]) x.news[side].push_back(side == 0 ? out_lost : in_lost);
  }
  void close(std::size_t which, int side) {
    auto& x = streams_[which];
    x.alive[side] = false;
    x.news[side].clear();
    if (x.alive[1 - side]) x.news[1 - side].push_back(side == 1 ? out_lost : in_lost);
  }
  void act(std::size_t who, pair_event e, std::optional<std::size_t> which = {}) {
    auto& n = end(who);
    const auto r = step(n.s, e);
    if (r.close_out && n.out) close(*std::exchange(n.out, {}), 0);
    if (r.close_in && n.in) close(*std::exchange(n.in, {}), 1);
    if (r.close_aside && n.aside) close(*std::exchange(n.aside, {}), 1);
    n.s = r.next;
    if (r.take_in) n.in = which;
    if (r.put_aside) n.aside = which;
    if (r.take_aside) n.in = std::exchange(n.aside, {});
    if (r.open) {
      streams_.emplace_back();
      streams_.back().opener = static_cast<int>(who);
      n.out = streams_.size() - 1;
      streams_.back().news[0].push_back(out_up);
      streams_.back().news[1].push_back(accepted);
    }
    n.openings += r.open_later;
    n.asked = n.s.now == phase::greeting;
  }
  bool deliver_one() {
    std::vector<std::function<void()>> possible;
    for (std::size_t i = 0; i < streams_.size(); ++i)
      for (std::size_t side : {0U, 1U})
        if (!streams_[i].news[side].empty())
          possible.push_back([this, i, side] {
            auto& x = streams_[i];
            const auto e = x.news[side].front();
            x.news[side].pop_front();
            const auto who = static_cast<std::size_t>(side == 0 ? x.opener : 1 - x.opener);
            const auto& mine = side == 0 ? end(who).out : end(who).in;
            if (e == accepted || mine == i)
              act(who, e, i);
            else if (side == 1 && end(who).aside == i)
              act(who, aside_lost);
          });
    for (std::size_t who : {0U, 1U}) {
      if (end(who).openings > 0)
        possible.push_back([this, who] {
          --end(who).openings;
          act(who, open);
        });
      // a greeting is answered when the other end of our streams is there
      if (end(who).asked && answers(who))
        possible.push_back([this, who] { act(who, greeted_again); });
      // a question whether it lives is answered by a peer that still has the stream it came on; else its answer is
      // that the stream has ended
      if (end(who).s.aside) possible.push_back([this, who] { ask_for_life(who); });
    }
    if (possible.empty()) return false;
    possible[chance_() % possible.size()]();
    return true;
  }
  void ask_for_life(std::size_t who) {
    if (answers(who)) return act(who, lives);
    if (end(who).out && end(1 - who).in != end(who).out) act(who, out_lost);
  }
  bool answers(std::size_t who) {
    const auto& other = end(1 - who);
    return end(who).out && other.in == end(who).out && other.out && end(who).in == other.out &&
           other.s.out == out_state::up;
  }

  std::mt19937_64 chance_;
  node_end ends_[2];
  std::deque<stream> streams_;
};

}  // namespace

TEST_CASE(
    "link pair: in whatever order streams are accepted and closed, both ends are connected in the "
    "end") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    two_ends t(seed);
    t.disturb();
    CHECK(t.settle());
  }
}
