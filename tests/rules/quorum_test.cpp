/// Which part of a cluster may be recovered, and when.
#include "protocol/rules/quorum.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace floe;
using std::chrono::milliseconds;

namespace {

constexpr duration limit = milliseconds(2500);

struct seen {
  std::vector<part_member> nodes;
  explicit seen(std::uint32_t size) {
    for (std::uint32_t n = 0; n < size; ++n)
      nodes.push_back({.node = pnn{n}, .in_map = true, .limit = limit});
  }
  seen& silent(std::uint32_t n, duration since) {
    nodes[n].connected = false;
    nodes[n].silent = since;
    return *this;
  }
  seen& dead(std::uint32_t n) {
    nodes[n].connected = false;
    nodes[n].dead = true;
    return *this;
  }
  seen& restarted(std::uint32_t n) {
    nodes[n].has_content = false;
    return *this;
  }
  part_verdict of(quorum_rule rule = quorum_rule::lock) const { return may_recover(rule, nodes); }
  part_verdict::kind kind(quorum_rule rule = quorum_rule::lock) const { return of(rule).what; }
};

using enum part_verdict::kind;
constexpr auto majority = quorum_rule::majority;

}  // namespace

TEST_CASE("nobody is left out who may not have frozen by itself yet") {
  CHECK(seen(3).kind() == goes_on);
  const auto v = seen(3).silent(1, milliseconds(400)).silent(2, milliseconds(100)).of();
  CHECK(v.what == waits);
  CHECK(v.node == pnn{2});
  CHECK(v.wait == milliseconds(2400));
  CHECK(seen(3).silent(1, limit).kind() == goes_on);
  CHECK(seen(3).dead(1).kind() == goes_on);
}

TEST_CASE("a node that is not of the map, or does not freeze by itself, is not waited for") {
  auto outside = seen(3).silent(1, {});
  outside.nodes[1].in_map = false;
  CHECK(outside.kind() == goes_on);
  auto ctdbd = seen(3).silent(1, {});
  ctdbd.nodes[1].limit = duration{0};
  CHECK(ctdbd.kind() == goes_on);
}

TEST_CASE("a part is outnumbered by members of its map that may have gone on, not by dead ones") {
  CHECK_FALSE(seen(3).of().outnumbered);
  CHECK(seen(3).silent(1, limit).silent(2, limit).of().outnumbered);
  CHECK_FALSE(seen(4).silent(1, limit).silent(2, limit).of().outnumbered);
  CHECK_FALSE(seen(3).silent(1, limit).dead(2).of().outnumbered);
  auto outside = seen(3).silent(1, limit).silent(2, limit);
  outside.nodes[2].in_map = false;
  CHECK_FALSE(outside.of().outnumbered);
  auto stopped = seen(4).silent(2, limit).silent(3, limit);
  stopped.nodes[1].inactive = true;
  CHECK(stopped.of().outnumbered);
}

TEST_CASE("a majority is one of the list, of nodes that take part") {
  CHECK(seen(4).dead(3).kind(majority) == goes_on);
  CHECK(seen(4).dead(3).dead(2).kind(majority) == too_small);
  CHECK(seen(4).dead(3).dead(2).kind(quorum_rule::none) == goes_on);
  auto stopped = seen(3).dead(2);
  stopped.nodes[1].inactive = true;
  const auto v = stopped.of(majority);
  CHECK(v.what == too_small);
  CHECK(v.here == 1);
  CHECK(v.needed == 2);
}

TEST_CASE("restarted nodes count, but not while a silent one may have what they had") {
  CHECK(seen(3).restarted(0).restarted(1).dead(2).kind(majority) == goes_on);
  CHECK(seen(3).restarted(1).silent(2, limit).kind(majority) == too_small);
  CHECK(seen(5).restarted(1).silent(4, limit).kind(majority) == goes_on);
  // who waits is told for whom
  CHECK(seen(3).restarted(0).restarted(1).silent(2, limit).of(majority).node == pnn{2});
  CHECK(seen(3).silent(1, limit).silent(2, limit).of(majority).node == pnn::unknown);
  // one that is not of the last map has nothing that they had
  auto left_out = seen(3).restarted(0).restarted(1).silent(2, limit);
  left_out.nodes[2].in_map = false;
  CHECK(left_out.kind(majority) == goes_on);
}

TEST_CASE("rules have names") {
  for (const auto r : {quorum_rule::lock, quorum_rule::none, quorum_rule::majority})
    CHECK(quorum_named(name(r)) == r);
  CHECK_FALSE(quorum_named("two thirds"));
}
