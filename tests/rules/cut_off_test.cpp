/// When a node takes itself for cut off.
#include "protocol/rules/cut_off.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace floe;
using std::chrono::milliseconds;

namespace {

constexpr duration limit = milliseconds(2000);

struct cluster {
  std::vector<cut_off_peer> nodes;
  explicit cluster(std::uint32_t size) {
    for (std::uint32_t n = 0; n < size; ++n) nodes.push_back({.node = pnn{n}, .in_map = true});
  }
  cluster& silent(std::uint32_t n) {
    nodes[n].silent = true;
    return *this;
  }
  cluster& lost(std::uint32_t n, bool dead) {
    nodes[n].connected = false;
    nodes[n].dead = dead;
    return *this;
  }
  cut_off_cause of(std::uint32_t self, pnn leader, duration without = {},
                   quorum_rule rule = quorum_rule::lock) const {
    return is_cut_off(pnn{self}, leader, nodes, without, limit, rule);
  }
};

}  // namespace

TEST_CASE("a follower is cut off when it does not hear its leader, whoever else it hears") {
  CHECK(cluster(3).of(1, pnn{0}) == cut_off_cause::none);
  CHECK(cluster(3).silent(0).of(1, pnn{0}) == cut_off_cause::leader_silent);
  CHECK(cluster(3).silent(2).of(1, pnn{0}) == cut_off_cause::none);
  CHECK(cluster(3).lost(0, false).of(1, pnn{0}) == cut_off_cause::leader_silent);
  // whoever is dead goes on without nobody
  CHECK(cluster(3).lost(0, true).of(1, pnn{0}) == cut_off_cause::none);
}

TEST_CASE(
    "a leader is cut off when it does not hear most of its map; of equal halves the one that leads "
    "goes on") {
  CHECK(cluster(3).silent(1).of(0, pnn{0}) == cut_off_cause::none);
  CHECK(cluster(3).silent(1).silent(2).of(0, pnn{0}) == cut_off_cause::outnumbered);
  CHECK(cluster(2).silent(1).of(0, pnn{0}) == cut_off_cause::none);
  CHECK(cluster(4).silent(1).lost(2, false).of(0, pnn{0}) == cut_off_cause::none);
  CHECK(cluster(5).silent(1).lost(2, false).lost(3, false).of(0, pnn{0}) ==
        cut_off_cause::outnumbered);
  CHECK(cluster(5).silent(1).lost(2, true).lost(3, true).lost(4, true).of(0, pnn{0}) ==
        cut_off_cause::none);
  auto with_others = cluster(3).silent(1).silent(2);
  with_others.nodes[1].in_map = with_others.nodes[2].in_map = false;
  CHECK(with_others.of(0, pnn{0}) == cut_off_cause::none);
}

TEST_CASE("a follower that hears its leader is cut off with it, when most of the map is away") {
  CHECK(cluster(5).silent(2).silent(3).of(1, pnn{0}) == cut_off_cause::none);
  CHECK(cluster(5).silent(2).silent(3).silent(4).of(1, pnn{0}) == cut_off_cause::outnumbered);
  CHECK(cluster(5).silent(2).silent(3).lost(4, true).of(1, pnn{0}) == cut_off_cause::none);
  CHECK(cluster(4).silent(2).silent(3).of(1, pnn{0}) == cut_off_cause::none);
  CHECK(cluster(5).silent(2).silent(3).lost(4, false).of(1, pnn{0}, {}, quorum_rule::majority) ==
        cut_off_cause::outnumbered);
}

TEST_CASE("without a leader a node waits for one, unless a member is away for as long") {
  CHECK(cluster(3).of(1, pnn::unknown, limit) == cut_off_cause::none);
  CHECK(cluster(3).lost(0, false).of(1, pnn::unknown, limit - milliseconds(1)) ==
        cut_off_cause::none);
  CHECK(cluster(3).lost(0, false).of(1, pnn::unknown, limit) == cut_off_cause::no_leader);
  CHECK(cluster(3).lost(0, true).of(1, pnn::unknown, limit) == cut_off_cause::none);
}

TEST_CASE("without a leader whoever has not been heard for long may go on by himself at once") {
  CHECK(cluster(3).silent(0).of(1, pnn::unknown) == cut_off_cause::no_leader);
  CHECK(cluster(5).silent(4).of(1, pnn::unknown) == cut_off_cause::no_leader);
  CHECK(cluster(5).silent(4).of(1, pnn{0}) == cut_off_cause::none);
  auto outsider = cluster(3).silent(2);
  outsider.nodes[2].in_map = false;
  CHECK(outsider.of(1, pnn::unknown) == cut_off_cause::none);
  auto dead = cluster(3).silent(2).lost(2, true);
  CHECK(dead.of(1, pnn::unknown) == cut_off_cause::none);
}

TEST_CASE("what a leader that was heard had opened closes when he is gone, or not heard any more") {
  using enum cut_off_cause;
  CHECK(begins_to_be_cut_off(none, outnumbered));
  CHECK_FALSE(begins_to_be_cut_off(outnumbered, outnumbered));
  CHECK(begins_to_be_cut_off(outnumbered, no_leader));
  CHECK(begins_to_be_cut_off(outnumbered, leader_silent));
  CHECK_FALSE(begins_to_be_cut_off(leader_silent, leader_silent));
  CHECK_FALSE(begins_to_be_cut_off(no_leader, no_leader));
  // nobody has opened anything since
  CHECK_FALSE(begins_to_be_cut_off(leader_silent, no_leader));
  CHECK_FALSE(begins_to_be_cut_off(no_leader, outnumbered));
  CHECK_FALSE(begins_to_be_cut_off(outnumbered, none));
}

TEST_CASE("a node counts itself out before others do") {
  CHECK(own_silence_limit(milliseconds(2500), milliseconds(250)) == milliseconds(2000));
  CHECK(own_silence_limit(milliseconds(400), milliseconds(250)) == milliseconds(200));
}

TEST_CASE(
    "where a majority is asked for, a leader of half of the nodes is cut off, whatever became of "
    "the rest") {
  constexpr auto majority = quorum_rule::majority;
  CHECK(cluster(4).silent(1).of(0, pnn{0}, {}, majority) == cut_off_cause::none);
  CHECK(cluster(4).silent(1).silent(2).of(0, pnn{0}, {}, majority) == cut_off_cause::no_majority);
  CHECK(cluster(3).lost(1, true).lost(2, true).of(0, pnn{0}, {}, majority) ==
        cut_off_cause::no_majority);
  auto stopped = cluster(3).lost(1, true);
  stopped.nodes[2].inactive = true;
  CHECK(stopped.of(0, pnn{0}, {}, majority) == cut_off_cause::no_majority);
  // a follower that hears its leader leaves the counting to it
  CHECK(cluster(4).silent(2).silent(3).of(1, pnn{0}, {}, majority) == cut_off_cause::none);
  CHECK(cluster(4).lost(2, true).lost(3, true).of(1, pnn::unknown, {}, majority) ==
        cut_off_cause::none);
  CHECK(cluster(4).lost(2, true).lost(3, true).of(1, pnn::unknown, limit, majority) ==
        cut_off_cause::no_majority);
}
