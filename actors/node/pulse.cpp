#include "actors/node/pulse.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"

namespace floe {
namespace {

constexpr duration between_looks = std::chrono::milliseconds(20);
/// A process that has ended refuses a new stream within so much; after that the worst is to be expected.
constexpr duration broken_patience = std::chrono::milliseconds(5);

/// The others are bugs that this covers: they are looked for without it.
bool nobody_vouches() {
  return mutated(mutant::ended_leader_vouches_for_nobody) || mutated(mutant::leaderless_wait) ||
         mutated(mutant::follower_of_a_cut_off_leader) || mutated(mutant::frozen_leader_goes_on) ||
         mutated(mutant::silence_looked_for_once) || mutated(mutant::quicker_part_counts);
}

/// The same.
bool nobody_needs_to_be_heard() {
  return mutated(mutant::short_sleep_is_none) || mutated(mutant::quicker_part_counts);
}

}  // namespace

node_pulse::peer& node_pulse::of(pnn n, time_point now) {
  if (number(n) >= peers_.size()) peers_.resize(number(n) + 1, {.heard = now});
  return peers_[number(n)];
}

/// What this node finds when it wakes up was said before: whether it has slept is looked at first.
void node_pulse::heard(pnn n, time_point now) {
  if (!nobody_needs_to_be_heard()) beat(now);
  auto& p = of(n, now);
  // after so long a silence this node serves nobody with it before a recovery has shown that each hears the other
  if (now - p.heard >= limit_) p.heard_us = now;
  p.heard = now;
  p.broken.reset();
}

void node_pulse::met(pnn n, time_point now) {
  heard(n, now);
  auto& p = of(n, now);
  p.heard_us = now;
  p.answers = false;
}

void node_pulse::was_heard_by(pnn n, time_point sent, time_point now) {
  if (mutated(mutant::to_hear_is_to_be_heard) || nobody_needs_to_be_heard()) return;
  auto& p = of(n, now);
  p.heard_us = std::max(p.heard_us, sent);
  p.answers = true;
}

void node_pulse::waits_for(pnn n, duration limit) {
  if (number(n) < peers_.size() && std::exchange(peers_[number(n)].waits, limit) != limit)
    set_limits();
}

/// Until when it has heard us for certain, as far as it tells.
time_point node_pulse::sure_of(const peer& p) const {
  return p.answers ? std::min(p.heard, p.heard_us) : p.heard;
}

/// A node for which this one waits so long has frozen by itself, by as much sooner as this one would.
duration node_pulse::own_limit_for(duration others_wait) const {
  return std::max(others_wait - (silence_.others - silence_.among_floe), others_wait / 2);
}

/// Whoever is to be the first of the others to leave this node out.
duration node_pulse::patience_of_others(duration among_floe) const {
  auto shortest = among_floe;
  if (mutated(mutant::limits_are_all_alike)) return shortest;
  for (const auto& n : nodes_) {
    if (!n.in_map || n.node == self_ || number(n.node) >= peers_.size()) continue;
    if (const auto waits = peers_[number(n.node)].waits; waits > duration{0})
      shortest = std::min(shortest, own_limit_for(waits));
  }
  return shortest;
}

void node_pulse::broken(pnn n, time_point now) {
  of(n, now).broken = now;
  next_look_ = std::min(next_look_, now + broken_patience);
}

void node_pulse::follow(const cluster_view& v, const silence& limits, quorum_rule quorum,
                        time_point now) {
  quorum_ = quorum;
  if (limits.others < silence_.others) {
    waited_before_ = silence_.others;
    shorter_since_ = now;
  }
  silence_ = limits;
  self_ = v.self;
  if (leader_ != v.leader && leader_ != pnn::unknown && leader_ != self_ && !nobody_vouches())
    vouched_ = std::max(vouched_, of(leader_, now).heard);
  if (std::exchange(leader_, v.leader) != v.leader || leader_ != pnn::unknown) leaderless_.reset();
  if (leader_ == pnn::unknown && !leaderless_) leaderless_ = now;
  // whoever has no content that counts has nothing to lose
  takes_part_ = v.gen != generation::invalid && !(v.own_flags() & node_flag::inactive);
  others_in_map_ = v.members.size() > 1;
  nodes_.clear();
  for (std::uint32_t n = 0; n < v.nodes.size(); ++n) {
    const auto& p = v.nodes[n];
    if (p.flags & node_flag::deleted) continue;
    const bool connected = !(p.flags & node_flag::disconnected);
    nodes_.push_back({.node = pnn{n},
                      .in_map = v.is_member(pnn{n}),
                      .connected = connected,
                      .inactive = (p.flags & node_flag::inactive) != 0,
                      .dead = p.dead});
    auto& known = of(pnn{n}, now);
    if (connected) known.floe = p.floe;
  }
  set_limits();
  look(now);
}

void node_pulse::set_limits() {
  const auto among_floe = patience_of_others(silence_.among_floe);
  limit_ = silence_.with_ctdbd;
  limits_.clear();
  for (const auto& n : nodes_) {
    const bool floe = peers_[number(n.node)].floe;
    limits_.push_back(floe ? among_floe : silence_.with_ctdbd);
    if (floe && n.connected) limit_ = among_floe;
  }
}

void node_pulse::beat(time_point now) {
  const auto slept = now - std::exchange(last_turn_, now);
  const auto limit = mutated(mutant::short_sleep_is_none)
                         ? std::max<duration>(limit_, std::chrono::milliseconds(1500))
                         : limit_;
  const bool too_long = limit > duration{0} && slept >= limit;
  if (too_long && !mutated(mutant::slept_through_is_silence)) woke_ = now;
  if (too_long && takes_part_ && others_in_map_) cut_off(cut_off_cause::hung);
  if (now >= next_look_) look(now);
}

void node_pulse::look(time_point now) {
  next_look_ = now + between_looks;
  if (!takes_part_) {
    cause_ = cut_off_cause::none;
    return;
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const auto& p = of(nodes_[i].node, now);
    nodes_[i].silent =
        nodes_[i].node != self_ &&
        (now - sure_of(p) >= limits_[i] || (p.broken && now - *p.broken >= broken_patience));
  }
  const auto without = leaderless_ ? now - *leaderless_ : duration{0};
  const auto cause = is_cut_off(self_, leader_, nodes_, without, limit_, quorum_);
  if (!begins_to_be_cut_off(std::exchange(cause_, cause), cause)) return;
  since_ = now;
  cut_off(cause);
}

time_point node_pulse::serves_until(time_point now) {
  if (!takes_part_ || !others_in_map_) return time_point::max();
  if (leader_ != pnn::unknown && leader_ != self_) return sure_of(of(leader_, now)) + limit_;
  std::vector<time_point> others;
  std::size_t in_map = 0;
  for (const auto& n : nodes_) {
    if (!n.in_map || (n.dead && n.node != self_)) continue;
    ++in_map;
    if (n.node != self_) others.push_back(sure_of(of(n.node, now)));
  }
  // as many as are away may be here, this node among them
  const auto needed = (in_map + 1) / 2 - 1;
  if (needed == 0 || needed > others.size()) return now + limit_;
  std::ranges::sort(others, std::greater<>());
  return others[needed - 1] + limit_;
}

/// Who is not heard here may have heard the leader that there was, until his end, and has not frozen before that; nor has it
/// since if what says that he has ended was lost. What came while this node was stopped it has not heard. A ctdbd does not
/// freeze by itself, however long one waits.
std::vector<part_member> node_pulse::members(time_point now) {
  std::vector<part_member> all;
  auto longest = silence_.among_floe;
  if (now - shorter_since_ < waited_before_)
    longest = std::max(longest, own_limit_for(waited_before_));
  // who was told of longer ones by others relies on these
  if (!mutated(mutant::limits_are_all_alike))
    for (const auto& n : nodes_)
      if (n.in_map && n.connected && n.node != self_)
        longest = std::max(longest, own_limit_for(of(n.node, now).waits));
  for (const auto& n : nodes_) {
    const auto& p = of(n.node, now);
    all.push_back({.node = n.node,
                   .in_map = n.in_map,
                   .connected = n.node == self_ || n.connected,
                   .inactive = n.inactive,
                   .dead = n.dead,
                   .silent = now - std::max({p.heard, vouched_, woke_}),
                   .limit = p.floe ? longest : duration{0}});
  }
  return all;
}

void node_pulse::cut_off(cut_off_cause why) {
  // the others are bugs that this covers: they are looked for without it
  if (mutated(mutant::cut_off_goes_on) || mutated(mutant::lost_connection_is_lost_node) ||
      mutated(mutant::hung_leader_goes_on) || mutated(mutant::generation_not_checked))
    return;
  ++cut_offs_;
  last_cause_ = why;
}

}  // namespace floe
