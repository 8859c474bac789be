#include "protocol/rules/cut_off.hpp"

#include <algorithm>
#include <utility>

#include "protocol/mutant.hpp"

namespace floe {
namespace {

/// The others are bugs that this covers: they are looked for without it.
bool leaderless_wait() {
  return mutated(mutant::leaderless_wait) || mutated(mutant::follower_of_a_cut_off_leader) ||
         mutated(mutant::frozen_leader_goes_on) || mutated(mutant::silent_member_left_out);
}

bool is_away(const cut_off_peer& p) { return !p.dead && (!p.connected || p.silent); }

}  // namespace

cut_off_cause is_cut_off(pnn self, pnn leader, std::span<const cut_off_peer> nodes,
                         duration without_leader, duration limit, quorum_rule quorum) {
  std::size_t here = 0, away = 0, silent = 0, active = 0;
  for (const auto& n : nodes) {
    active += !n.inactive && (n.node == self || (n.connected && !n.silent));
    if (!n.in_map || (n.dead && n.node != self)) continue;
    ++(n.node != self && is_away(n) ? away : here);
    silent += n.node != self && n.silent;
  }
  const bool too_few = quorum == quorum_rule::majority && !mutated(mutant::half_is_enough) &&
                       !is_majority(active, nodes.size());
  if (too_few && (leader == self || (leader == pnn::unknown && without_leader >= limit)))
    return cut_off_cause::no_majority;
  if (leader == pnn::unknown) {
    const bool left = silent > 0 && !leaderless_wait();
    const bool long_enough = away > 0 && without_leader >= limit;
    return left || long_enough ? cut_off_cause::no_leader : cut_off_cause::none;
  }
  const auto l = std::ranges::find(nodes, leader, &cut_off_peer::node);
  if (leader != self && l != nodes.end() && is_away(*l)) return cut_off_cause::leader_silent;
  const bool counts = leader == self || !mutated(mutant::follower_of_a_cut_off_leader);
  return counts && away > here ? cut_off_cause::outnumbered : cut_off_cause::none;
}

bool begins_to_be_cut_off(cut_off_cause before, cut_off_cause now) {
  using enum cut_off_cause;
  if (now == none || now == before) return false;
  if (before == none) return true;
  if (now == leader_silent)
    return before == outnumbered && !mutated(mutant::leader_silent_is_no_news);
  return now == no_leader && before != leader_silent && !leaderless_wait();
}

duration own_silence_limit(duration others_limit, duration keepalive_interval) {
  return std::max(others_limit - 2 * keepalive_interval, others_limit / 2);
}

std::string_view text(cut_off_cause c) {
  switch (c) {
    case cut_off_cause::none: return "";
    case cut_off_cause::leader_silent: return "the leader is not heard";
    case cut_off_cause::no_leader: return "nobody leads, and members of the map are not heard";
    case cut_off_cause::outnumbered: return "most members of the map are not heard";
    case cut_off_cause::hung: return "this node was stopped";
    case cut_off_cause::no_majority: return "less than a majority of the nodes is here";
  }
  std::unreachable();
}

}  // namespace floe
