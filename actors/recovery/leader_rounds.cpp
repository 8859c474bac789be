/// A round of the leader's questions: how every connected node sees itself and the others, and whom it tells better.
#include "actors/recovery/leader.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/types/membership.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/vnn_map.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

/// Asks every connected node how it sees itself and the others.
void leader::act(const watch_effect::poll& e) {
  looks_.clear();
  const auto nodes = connected();
  const auto parts = {control::get_nodemap, control::get_recmode, control::getvnnmap,
                      control::get_capabilities};
  for (pnn n : nodes) looks_[n].node = n;
  looks_missing_ = nodes.size() * parts.size();
  for (pnn n : nodes)
    for (control part : parts) ask(n, part, {}, question::poll{e.round, n, part});
}

void leader::answered(const question::poll& q, const control_answer& a) {
  if (!watch_.awaits(q.round)) return;
  auto& l = looks_[q.node];
  if (q.part == control::get_recmode) {  // the status is the answer
    if (a.status == 0 || a.status == 1)
      l.mode = recovery_mode{static_cast<std::uint32_t>(a.status)};
  } else if (a.status != 0) {
    // not known in this round
  } else if (q.part == control::get_nodemap) {
    if (auto map = wire::decode<node_map>(a.data); map && number(q.node) < map->nodes.size()) {
      l.flags = map->nodes[number(q.node)].flags & ~node_flag::deleted;
      for (const auto& x : map->nodes) l.others.push_back(x.flags);
    }
  } else if (q.part == control::getvnnmap) {
    if (auto v = wire::decode<vnn_map>(a.data)) {
      if (v->generation == generation::invalid)
        without_content_.insert(q.node);
      else
        without_content_.erase(q.node);
      l.gen = v->generation;
      l.map = v->slots;
    }
  } else if (auto c = wire::decode<std::uint32_t>(a.data)) {
    l.capabilities = *c;
  }
  if (--looks_missing_ > 0) return;
  watch_event::looked all{.round = q.round, .nodes = {}, .view = {}, .members = view_->members};
  for (const auto& [n, one] : looks_) all.nodes.push_back(one);
  for (const auto& n : view_->nodes) all.view.push_back(n.flags);
  watch(all);
}

/// A leader tells all what each says of itself. While nobody leads because too few nodes seem to be active, nobody tells that
/// some of them are again: then each asks.
void leader::ask_inactive_ones() {
  if (view_->leader != pnn::unknown || !too_few() || mutated(mutant::inactive_never_asked)) return;
  for (pnn n : connected())
    if (n != env_.self && (view_->find(n)->flags & node_flag::inactive))
      ask(n, control::get_nodemap, {}, question::own_flags{n});
}

void leader::answered(const question::own_flags& q, const control_answer& a) {
  const auto map = wire::decode<node_map>(a.data);
  const auto* known = view_->find(q.node);
  if (view_->leader != pnn::unknown || a.status != 0 || !map || !known ||
      number(q.node) >= map->nodes.size())
    return;
  const auto truth = map->nodes[number(q.node)].flags & ~node_flag::found_out_alone;
  if ((known->flags & ~node_flag::found_out_alone) == truth) return;
  ask(env_.self, control::modify_flags,
      wire::encode(node_flag_change{.pnn = q.node, .new_flags = truth, .old_flags = known->flags}),
      question::nothing{});
}

/// Each node's own opinion about itself is the truth; whoever sees it otherwise is told.
void leader::act(const watch_effect::align_flags&) {
  for (const auto& [n, l] : looks_) {
    if (!l.flags) continue;
    const auto truth = *l.flags & ~node_flag::found_out_alone;
    bool differs = (view_->find(n)->flags & ~node_flag::found_out_alone) != truth;
    for (const auto& [m, other] : looks_)
      if (number(n) < other.others.size() && m != n)
        differs |= (other.others[number(n)] & ~node_flag::found_out_alone) != truth;
    if (!differs) continue;
    const auto change = wire::encode(
        node_flag_change{.pnn = n, .new_flags = truth, .old_flags = view_->find(n)->flags});
    for (const auto& [m, other] : looks_)
      ask(m, control::modify_flags, change, question::nothing{});
  }
}

}  // namespace floe
