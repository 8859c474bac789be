/// Whom the leader bans, on which evidence; see protocol/rules/ban.hpp for what counts.
#include <fmt/format.h>

#include <algorithm>

#include "actors/events.hpp"
#include "actors/recovery/leader.hpp"
#include "protocol/constants.hpp"
#include "protocol/messages.hpp"
#include "protocol/rules/ban_end.hpp"
#include "protocol/rules/db_recovery.hpp"
#include "protocol/types/membership.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/vnn_map.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

using std::chrono::seconds;

/// What the node needs to know for the ban to end when its cause has gone.
ban_cause cause_of(std::span<const evidence> failures, pnn node) {
  const bool only_freezes = std::ranges::all_of(failures, [&](const evidence& e) {
    return e.node != node || !e.credit || e.step == name(db_phase::freeze);
  });
  return only_freezes ? ban_cause::not_frozen : ban_cause::spoiled;
}

}  // namespace

/// A check of the leader has found this node at fault, or somebody who may has said so.
void leader::charge(const evidence& why, unsigned credits) {
  if (inactive()) return;
  ledger_.add(why, env_.loop.now(), credits);
  for (const auto& v : ledger_.verdicts(view_->nodes.size(), env_.loop.now()))
    ban(v, ban_cause::spoiled, std::nullopt);
}

/// CTDB's takeover helper tells all recovery daemons of a node that cannot release or take addresses; the leader
/// counts it as many times as there are nodes.
void leader::banning_heard(const req_message& m) {
  auto who = wire::decode<std::uint32_t>(m.data);
  if (!who || !election_.leads() || !view_->find(pnn{*who})) return;
  charge({.node = pnn{*who},
          .cause = failure_cause::refused,
          .step = "takeover run",
          .detail = "reported by message",
          .credit = true},
         static_cast<unsigned>(view_->nodes.size()));
}

void leader::act(const watch_effect::blame&) {
  ledger_.attempt_failed(recovery_began_, env_.loop.now());
  for (const auto& v : spoilers(last_failures_))
    ban(v, cause_of(last_failures_, v.node), last_attempt_);
}

/// The node is asked first how it sees itself. One that is inactive already spoils nothing and is left alone, and so is
/// one that has another generation than the attempt that it is said to have spoiled: another leader was quicker, and
/// the node was right to refuse what came from us.
void leader::ban(const ban_verdict& v, ban_cause cause, std::optional<generation> attempt) {
  const auto why = fmt::format("{} ban credits: {}", v.credits, v.because);
  if (config_.tunables[tunable::enable_bans] == 0) {
    env_.log.tell(event::ban_not_done{.pnn = v.node, .why = why, .because = "EnableBans is 0"});
    return;
  }
  if (view_->find(v.node)->flags & node_flag::inactive || watch_.is_banning(v.node)) return;
  watch(watch_event::ban_began{v.node});
  planned_bans_[v.node] = {why, cause, attempt};
  ledger_.forget(v.node);
  ask(v.node, control::getvnnmap, {}, question::ban_generation{v.node});
}

void leader::answered(const question::ban_generation& q, const control_answer& a) {
  const auto plan = planned_bans_.find(q.node);
  auto m = wire::decode<vnn_map>(a.data);
  const bool fits = plan != planned_bans_.end() && a.status == 0 && m &&
                    (!plan->second.attempt || m->generation == *plan->second.attempt);
  if (!fits) return answered(question::banned{q.node}, a);
  ask(q.node, control::get_nodemap, {}, question::ban_flags{q.node});
}

void leader::answered(const question::ban_flags& q, const control_answer& a) {
  const auto plan = planned_bans_.find(q.node);
  auto map = wire::decode<node_map>(a.data);
  const bool fits = plan != planned_bans_.end() && a.status == 0 && map &&
                    number(q.node) < map->nodes.size() &&
                    !(map->nodes[number(q.node)].flags & node_flag::inactive);
  if (!fits) return answered(question::banned{q.node}, a);
  const auto& [why, cause, attempt] = plan->second;
  note(event::ban{.pnn = q.node, .cause = name(cause), .why = why});
  if (floe_nodes_.contains(q.node))
    ask(q.node, control::ban_reason,
        wire::encode(wire::string{fmt::format("{} {}", name(cause), why)}), question::nothing{});
  ask(q.node, control::set_ban_state,
      wire::encode(
          ban_state{.pnn = q.node, .time = config_.tunables[tunable::recovery_ban_period]}),
      question::banned{q.node});
}

void leader::answered(const question::banned& q, const control_answer&) {
  planned_bans_.erase(q.node);
  watch(watch_event::ban_ended{q.node});
}

/// A node that takes part in the recovery that runs says that something has changed with it. If it has become inactive
/// nothing it owes will ever come: begin again without it.
void leader::look_at_participant(pnn who) {
  if (!watch_.recovering()) return;
  ask(who, control::get_capabilities, {}, question::participant_leaves{watch_.epoch(), who});
  if (who != env_.self)
    ask(who, control::get_nodemap, {}, question::participant{watch_.epoch(), who});
}

/// It cannot store what that recovery brings: another one takes everything from it.
void leader::answered(const question::participant_leaves& q, const control_answer& a) {
  const auto c = wire::decode<std::uint32_t>(a.data);
  if (!watch_.recovering() || q.run != watch_.epoch() || a.status != 0 || !c ||
      !(*c & capability::leaving))
    return;
  coordinator_.tell(rec_leaves{q.node});
}

void leader::answered(const question::participant& q, const control_answer& a) {
  auto map = wire::decode<node_map>(a.data);
  if (!watch_.recovering() || q.run != watch_.epoch() || a.status != 0 || !map ||
      number(q.node) >= map->nodes.size())
    return;
  const auto flags = map->nodes[number(q.node)].flags & ~node_flag::found_out_alone,
             known = view_->find(q.node)->flags;
  if (!(flags & node_flag::inactive) || (known & node_flag::inactive))
    return;  // active, or was left out
  watch(watch_event::member_unfit{q.node});
  ask(env_.self, control::modify_flags,
      wire::encode(node_flag_change{.pnn = q.node, .new_flags = flags, .old_flags = known}),
      question::participant_known{q.run});
}

void leader::answered(const question::participant_known& q, const control_answer&) {
  if (watch_.recovering() && q.run == watch_.epoch()) coordinator_.tell(rec_stop{});
}

}  // namespace floe
