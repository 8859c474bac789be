#include "protocol/rules/leader_watch.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/feature_level.hpp"

namespace floe {
namespace {

using std::chrono::milliseconds;

/// Nodes that were cut off together come back within so much time of each other.
constexpr duration nodes_come_within = milliseconds(500);
/// ... and those of a part that had gone on, within so much.
constexpr duration parts_come_within = std::chrono::seconds(10);
/// A ctdbd tries to connect once a second.
constexpr duration ctdbd_links_within = milliseconds(1500);
/// While they do they are asked again.
constexpr duration look_again_after = milliseconds(20);
constexpr unsigned most_failures_counted = 6;
constexpr duration longest_rest = std::chrono::seconds(5);
/// So many recoveries in a row may leave what they were for as it was.
constexpr unsigned most_uncured = 4;

duration rest_after(unsigned failures) {
  return std::min<duration>(milliseconds(5) * (1U << 2 * std::min(failures, most_failures_counted)),
                            longest_rest);
}
/// Who leads says so once a second.
constexpr duration contradicted_for = std::chrono::seconds(2);
constexpr duration contradicted_rest = milliseconds(500);

std::string node_text(pnn n) { return "node " + std::to_string(number(n)); }

bool is_connected(std::uint32_t flags) {
  return !(flags & (node_flag::disconnected | node_flag::deleted));
}

/// Whether a round has left out somebody who is there now: what is decided without it would be decided for it as well.
bool overlooks(const watch_event::looked& e) {
  for (std::size_t i = 0; i < e.view.size(); ++i)
    if (is_connected(e.view[i]) && std::ranges::find(e.nodes, pnn{static_cast<std::uint32_t>(i)},
                                                     &node_look::node) == e.nodes.end())
      return true;
  return false;
}

bool is_among(const std::vector<pnn>& nodes, pnn n) {
  return std::ranges::find(nodes, n) != nodes.end();
}

/// Whether data needs recovery, as far as this round shows.
recovery_need need_of(const watch_event::looked& e, pnn leader,
                      const std::vector<pnn>& without = {}) {
  std::vector<node_snapshot> nodes;
  for (const auto& l : e.nodes) {
    if (is_among(without, l.node)) continue;
    if (!l.flags || !l.capabilities) return {};  // no full picture: the next round may have it
    nodes.push_back({.node = l.node,
                     .flags = *l.flags & ~node_flag::disconnected,
                     .capabilities = *l.capabilities,
                     .mode = l.mode,
                     .gen = l.gen,
                     .map = l.map});
  }
  return needs_recovery({.leader = leader, .nodes = nodes, .members = e.members});
}

/// Active nodes that are no members of the leader's generation, where it has one, and all are floe's that can be filled.
std::vector<pnn> outside_the_map(const watch_event::looked& e, pnn leader) {
  const auto own = std::ranges::find(e.nodes, leader, &node_look::node);
  if (own == e.nodes.end() || !own->gen || *own->gen == generation::invalid ||
      own->mode != recovery_mode::normal)
    return {};
  std::vector<pnn> outside;
  for (const auto& l : e.nodes) {
    if (!l.flags || !l.capabilities || feature_level_of(*l.capabilities) < level_of_joining)
      return {};
    if (!(*l.flags & node_flag::inactive) && !is_among(own->map, l.node) &&
        !is_among(e.members, l.node))
      outside.push_back(l.node);
  }
  return outside;
}

/// Whether a node sees a member of its own map that the leader does not see.
bool speaks_for_others(const node_look& one, const std::vector<std::uint32_t>& view) {
  if (!one.gen || *one.gen == generation::invalid) return false;
  return std::ranges::any_of(one.map, [&](pnn m) {
    const auto i = number(m);
    return m != one.node && i < one.others.size() && i < view.size() &&
           (view[i] & node_flag::disconnected) && !(one.others[i] & node_flag::disconnected);
  });
}

/// The same, and that map is another one than the leader's. (For members of the leader's own it waits as long as they may
/// acknowledge: quorum.hpp.)
bool with_another_part(const watch_event::looked& e, pnn leader) {
  const auto own = std::ranges::find(e.nodes, leader, &node_look::node);
  return own != e.nodes.end() && std::ranges::any_of(e.nodes, [&](const node_look& one) {
           return one.gen != own->gen && speaks_for_others(one, e.view);
         });
}

bool is_ctdbd(const node_look& n) {
  return n.capabilities && !(*n.capabilities & capability::sorted_pull);
}

/// Whether two nodes, a ctdbd one of them, have no link yet, both of which the leader reaches. Under a map that has both, a
/// ctdbd's request that needs that link would be dropped, and its client wait for ever.
bool ctdbd_not_linked(const watch_event::looked& e) {
  return std::ranges::any_of(e.nodes, [&](const node_look& a) {
    return std::ranges::any_of(e.nodes, [&](const node_look& b) {
      return (is_ctdbd(a) || is_ctdbd(b)) && number(b.node) < a.others.size() &&
             (a.others[number(b.node)] & node_flag::disconnected);
    });
  });
}

bool may_follow(watch_state from, watch_state to) {
  using s = watch_state;
  switch (to) {
    case s::following:
      return from == s::idle || from == s::polling || from == s::polling_stale ||
             from == s::stopping;
    case s::idle:
      return from == s::following || from == s::polling || from == s::polling_stale ||
             from == s::recovering;
    case s::polling: return from == s::idle;
    case s::polling_stale: return from == s::polling;
    case s::recovering:
      return from == s::idle || from == s::polling || from == s::polling_stale ||
             from == s::stopping;
    case s::stopping: return from == s::recovering;
  }
  std::unreachable();
}

}  // namespace

std::vector<watch_output> leader_watch::step(const watch_input& event, time_point now) {
  now_ = now;
  out_.clear();
  std::visit([this](const auto& e) { on(e); }, event);
  return std::exchange(out_, {});
}

bool leader_watch::leads() const {
  return state_ != watch_state::following && state_ != watch_state::stopping;
}

bool leader_watch::recovering() const {
  return state_ == watch_state::recovering || state_ == watch_state::stopping;
}

bool leader_watch::awaits(std::uint64_t round) const {
  return round == round_ &&
         (state_ == watch_state::polling || state_ == watch_state::polling_stale);
}

void leader_watch::enter(watch_state to) {
  assert(may_follow(state_, to) && "a leader's watch cannot go there from here");
  state_ = to;
}

// ---- office ----

void leader_watch::on(const watch_event::office_won&) {
  assert(!leads() && "an office is won that is held");
  enter(state_ == watch_state::stopping ? watch_state::recovering : watch_state::idle);
  went_on_since_.reset();  // nobody has looked meanwhile
  look();
}

void leader_watch::on(const watch_event::office_lost&) {
  assert(leads() && "an office is lost that is not held");
  ++round_;  // what is still answered belongs to nobody
  weighing_.reset();
  if (state_ != watch_state::recovering) return enter(watch_state::following);
  enter(watch_state::stopping);
  out_.push_back(watch_effect::stop_recovery{});
}

// ---- what happens ----

void leader_watch::on(const watch_event::came&) {
  last_arrival_ = now_;
  overtaken_ = true;
}
void leader_watch::on(const watch_event::lost_member& e) {
  consider(recovery_reason::node_lost, node_text(e.node) + " is lost");
}
void leader_watch::on(const watch_event::gone& e) { banning_.erase(e.node); }
void leader_watch::on(const watch_event::wanted& e) { consider(recovery_reason::asked, e.why); }
void leader_watch::on(const watch_event::stirred&) { look(); }

void leader_watch::on(const watch_event::part& e) {
  const bool could = part_.verdict == part_verdict::kind::goes_on;
  part_ = e;
  if (!could && e.verdict == part_verdict::kind::goes_on && !recovering()) owed_or_look();
}

void leader_watch::on(const watch_event::member_unfit& e) {
  assert(recovering() && "no recovery that it could take part in");
  wanted_ = node_text(e.node) + " has become inactive during a recovery";
  cause_ = recovery_reason::node_unfit;
}

void leader_watch::on(const watch_event::contradicted&) { contradicted_ = now_; }

void leader_watch::on(const watch_event::paused&) { paused_ = true; }

void leader_watch::on(const watch_event::resumed&) {
  paused_ = false;
  owed_or_look();
}

void leader_watch::on(const watch_event::ban_began& e) { banning_.insert(e.node); }

/// The next attempt waits until it is known whom to leave out.
void leader_watch::on(const watch_event::ban_ended& e) {
  banning_.erase(e.node);
  if (banning_.empty() && leads() && !wanted_.empty()) try_owed();
}

void leader_watch::on(const watch_event::woke& e) {
  switch (e.why) {
    case watch_alarm::look_again: return look();
    case watch_alarm::rested:
      assert(resting_ && "a rest has ended that nobody began");
      resting_ = false;
      if (leads() && !wanted_.empty()) try_owed();
      return;
  }
}

// ---- rounds ----

/// One round at a time, and none beside a recovery.
void leader_watch::look() {
  switch (state_) {
    case watch_state::following:
    case watch_state::stopping:
    case watch_state::recovering:
    case watch_state::polling_stale: return;
    case watch_state::polling: return enter(watch_state::polling_stale);
    case watch_state::idle: break;
  }
  enter(watch_state::polling);
  out_.push_back(watch_effect::poll{++round_});
}

void leader_watch::on(const watch_event::looked& e) {
  assert(e.round <= round_ && "answers to questions that were not asked");
  if (!awaits(e.round)) return;
  const bool stale = state_ == watch_state::polling_stale;
  enter(watch_state::idle);
  if (overlooks(e)) return look();
  overtaken_ = false;
  const bool went_on = with_another_part(e, self_);
  if (!went_on || !went_on_since_) went_on_since_ = went_on ? std::optional(now_) : std::nullopt;
  out_.push_back(watch_effect::align_flags{});
  const auto need = need_of(e, self_);
  if (!need) demanded_.clear();
  if (wanted_.empty() && !need) {
    if (stale) look();
    return;
  }
  if (mesh_grows(e)) {
    out_.push_back(watch_effect::wake{.why = watch_alarm::look_again, .after = look_again_after});
    return;
  }
  if (!wanted_.empty()) return recover_if_allowed();
  if (auto outside = outside_the_map(e, self_); !outside.empty() && !need_of(e, self_, outside)) {
    if (weighing_ && weighing_->nodes == outside) return;
    weighing_ = weighing{outside, need};
    out_.push_back(watch_effect::weigh{++weighings_, std::move(outside)});
    return;
  }
  demand(need);
}

/// Some are taken in at once, or, if all are filled first, nobody is now.
void leader_watch::on(const watch_event::weighed& e) {
  if (e.weighing != weighings_ || !weighing_) return;
  const auto w = *std::exchange(weighing_, std::nullopt);
  if (!leads() || recovering()) return;
  // a recovery would take whoever has come meanwhile in as well, perhaps away from others
  if (overtaken_) return look();
  if (std::ranges::all_of(w.nodes, [&](pnn n) { return is_among(e.filled_first, n); }))
    return look();
  if (!wanted_.empty()) return try_owed();
  demand(w.need);
}

void leader_watch::demand(const recovery_need& need) {
  wanted_ = need.detail;
  cause_ = need.reason;
  uncured_ = need.detail == demanded_ ? uncured_ + 1 : 0;
  demanded_ = need.detail;
  const bool rests_already = resting_;
  if (uncured_ > most_uncured && !rests_already) {
    resting_ = true;
    out_.push_back(watch_effect::wake{.why = watch_alarm::rested,
                                      .after = rest_after(uncured_ - most_uncured)});
  }
  if (need.culprit == pnn::unknown || rests_already) return recover_if_allowed();
  charging_ = true;
  out_.push_back(watch_effect::charge{need.culprit, need.reason, need.detail});
}

void leader_watch::on(const watch_event::charged&) {
  assert(charging_ && "nobody was charged");
  charging_ = false;
  recover_if_allowed();
}

/// When a partition heals its connections come back one after the other. A recovery of those that happen to be
/// connected first would let a minority of the other half speak for it. So: while a node that has just come is connected
/// to somebody we do not see yet, wait, for a moment.
bool leader_watch::mesh_grows(const watch_event::looked& e) const {
  if (others_may_come()) return true;
  if (!last_arrival_) return false;
  const auto since = now_ - *last_arrival_;
  // without the rule that a bug breaks this one would hide it
  if (since <= parts_come_within && !mutated(mutant::quicker_part_counts) &&
      std::ranges::any_of(e.nodes,
                          [&](const node_look& one) { return speaks_for_others(one, e.view); }))
    return true;
  if (since <= ctdbd_links_within && ctdbd_not_linked(e)) return true;
  if (since > nodes_come_within) return false;
  return std::ranges::any_of(e.nodes, [&](const node_look& one) {
    for (std::size_t i = 0; i < std::min(one.others.size(), e.view.size()); ++i)
      if ((e.view[i] & node_flag::disconnected) && !(one.others[i] & node_flag::disconnected))
        return true;
    return false;
  });
}

/// One that went on with others need not have come: its connection may have outlived a cut that ended those of all others.
bool leader_watch::others_may_come() const {
  // the others are bugs that this covers: they are looked for without it
  if (mutated(mutant::who_has_stayed_speaks_for_nobody) || mutated(mutant::quicker_part_counts) ||
      mutated(mutant::contradicted_leader_hurries))
    return false;
  return went_on_since_ && now_ - *went_on_since_ <= parts_come_within;
}

// ---- recoveries ----

void leader_watch::consider(recovery_reason cause, std::string why) {
  wanted_ = std::move(why);
  cause_ = cause;
  try_owed();
}

void leader_watch::try_owed() {
  // a node has just come: who else is there must be seen first; or one is with others who may come
  if (last_arrival_ && now_ - *last_arrival_ <= nodes_come_within) return look();
  if (others_may_come()) return look();
  recover_if_allowed();
}

void leader_watch::owed_or_look() {
  if (!leads()) return;
  if (!wanted_.empty()) return try_owed();
  look();
}

void leader_watch::recover_if_allowed() {
  if (!leads() || recovering() || resting_ || paused_ || !banning_.empty()) return;
  if (part_.verdict == part_verdict::kind::waits && (!looks_again_ || *looks_again_ <= now_)) {
    looks_again_ = now_ + part_.wait;
    out_.push_back(watch_effect::wake{.why = watch_alarm::look_again, .after = part_.wait});
  }
  if (part_.verdict != part_verdict::kind::goes_on) return;
  ++round_;  // a round that is out belongs to nobody
  weighing_.reset();
  enter(watch_state::recovering);
  out_.push_back(watch_effect::recover{recovery_epoch{++epoch_},
                                       std::exchange(cause_, recovery_reason::none),
                                       std::exchange(wanted_, {})});
}

void leader_watch::on(const watch_event::recovery_ended& e) {
  if (number(e.epoch) != epoch_) return;
  assert(recovering() && "a recovery has ended twice");
  enter(leads() ? watch_state::idle : watch_state::following);
  if (e.good) {
    failures_ = 0;
    out_.push_back(watch_effect::succeeded{});
    if (leads() && contradicted_ && now_ - *contradicted_ <= contradicted_for &&
        !mutated(mutant::contradicted_leader_hurries)) {
      resting_ = true;
      out_.push_back(watch_effect::wake{.why = watch_alarm::rested, .after = contradicted_rest});
    }
    if (!wanted_.empty()) return try_owed();
    return look();
  }
  if (!leads()) return;
  out_.push_back(watch_effect::blame{});
  if (wanted_.empty()) {
    wanted_ = "the last recovery failed";
    cause_ = recovery_reason::unfinished;
  }
  ++failures_;
  resting_ = true;
  out_.push_back(watch_effect::wake{
      .why = watch_alarm::rested, .after = rest_after(failures_), .failures = failures_});
}

std::string_view name(watch_state s) {
  switch (s) {
    case watch_state::following: return "following";
    case watch_state::idle: return "idle";
    case watch_state::polling: return "polling";
    case watch_state::polling_stale: return "polling_stale";
    case watch_state::recovering: return "recovering";
    case watch_state::stopping: return "stopping";
  }
  std::unreachable();
}

}  // namespace floe
