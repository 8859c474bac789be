/// Whom the leader bans, on which evidence; see protocol/rules/ban.hpp for what counts.
#include <fmt/format.h>

#include <algorithm>

#include "actors/recovery/leader.hpp"
#include "protocol/constants.hpp"
#include "protocol/messages.hpp"
#include "protocol/rules/ban_end.hpp"
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
    return e.node != node || !e.credit || e.step == "freeze";
  });
  return only_freezes ? ban_cause::not_frozen : ban_cause::spoiled;
}

}  // namespace

/// A check of the leader has found this node at fault, or somebody who may has said so.
void leader::charge(const evidence& why, unsigned credits) {
  if (inactive()) return;
  ledger_.add(why, env_.loop.now(), credits);
  for (const auto& v : ledger_.verdicts(view_->nodes.size(), env_.loop.now())) ban(v, ban_cause::spoiled, std::nullopt);
}

/// CTDB's takeover helper tells all recovery daemons of a node that cannot release or take addresses; the leader
/// counts it as many times as there are nodes.
void leader::banning_heard(const req_message& m) {
  auto who = wire::decode<std::uint32_t>(m.data);
  if (!who || !election_.leads() || !view_->find(pnn{*who})) return;
  charge({.node = pnn{*who}, .cause = failure_cause::refused, .step = "takeover run", .detail = "reported by message", .credit = true},
         static_cast<unsigned>(view_->nodes.size()));
}

void leader::blame(const recovery_result& r) {
  ledger_.attempt_failed(recovery_began_, env_.loop.now());
  for (const auto& v : spoilers(r.failures)) ban(v, cause_of(r.failures, v.node), r.gen);
}

/// The node is asked first how it sees itself. One that is inactive already spoils nothing and is left alone, and so is
/// one that has another generation than the attempt that it is said to have spoiled: another leader was quicker, and
/// the node was right to refuse what came from us.
void leader::ban(const ban_verdict& v, ban_cause cause, std::optional<generation> attempt) {
  const auto why = fmt::format("{} ban credits: {}", v.credits, v.because);
  if (config_.tunables[tunable::enable_bans] == 0) {
    env_.log.warning(fmt::format("ban-not-done pnn={} why=\"{}\" because=\"EnableBans is 0\"", number(v.node), why));
    return;
  }
  if (view_->find(v.node)->flags & node_flag::inactive || !being_banned_.insert(v.node).second) return;
  ledger_.forget(v.node);
  ask(v.node, control::getvnnmap, {}, [this, node = v.node, why, cause, attempt](const control_answer& a) {
    auto m = wire::decode<vnn_map>(a.data);
    if (a.status != 0 || !m || (attempt && m->generation != *attempt)) return ban_done(node);
    send_ban(node, why, cause);
  });
}

void leader::send_ban(pnn node, const std::string& why, ban_cause cause) {
  ask(node, control::get_nodemap, {}, [this, node, why, cause](const control_answer& a) {
    auto map = wire::decode<node_map>(a.data);
    const bool answers = a.status == 0 && map && number(node) < map->nodes.size();
    if (!answers || (map->nodes[number(node)].flags & node_flag::inactive)) return ban_done(node);
    env_.log.error(fmt::format("ban pnn={} cause={} why=\"{}\"", number(node), name(cause), why));
    node_.tell(note_event{{.wall_us = env_.loop.wall_us(), .event = "ban", .db = db_id{0},
                           .detail = fmt::format("pnn={} cause={} why=\"{}\"", number(node), name(cause), why)}});
    if (floe_nodes_.contains(node))
      ask(node, control::ban_reason, wire::encode(wire::string{fmt::format("{} {}", name(cause), why)}),
          [](const control_answer&) {});
    ask(node, control::set_ban_state,
        wire::encode(ban_state{.pnn = node, .time = config_.tunables[tunable::recovery_ban_period]}),
        [this, node](const control_answer&) { ban_done(node); });
  });
}

/// The next attempt waits until it is known whom to leave out.
void leader::ban_done(pnn node) {
  being_banned_.erase(node);
  if (being_banned_.empty() && election_.leads() && !wanted_.empty()) consider(wanted_);
}

/// A node that takes part in the recovery that runs says that something has changed with it. If it has become inactive
/// nothing it owes will ever come: begin again without it.
void leader::look_at_participant(pnn who) {
  if (!coordinator_ || who == env_.self) return;
  ask(who, control::get_nodemap, {}, [this, who, epoch = epoch_](const control_answer& a) {
    auto map = wire::decode<node_map>(a.data);
    if (!coordinator_ || epoch != epoch_ || a.status != 0 || !map || number(who) >= map->nodes.size()) return;
    if (!(map->nodes[number(who)].flags & node_flag::inactive)) return;
    if (view_->find(who)->flags & node_flag::inactive) return;  // was left out
    const auto change = node_flag_change{.pnn = who, .new_flags = map->nodes[number(who)].flags & ~node_flag::disconnected,
                                         .old_flags = view_->find(who)->flags};
    wanted_ = fmt::format("node {} has become inactive during a recovery", number(who));
    ask(env_.self, control::modify_flags, wire::encode(change), [this, epoch](const control_answer&) {
      if (coordinator_ && epoch == epoch_) coordinator_.tell(rec_stop{});
    });
  });
}

}  // namespace floe
