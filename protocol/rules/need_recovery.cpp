#include "protocol/rules/need_recovery.hpp"

#include <algorithm>
#include <utility>

#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/evidence.hpp"
#include "protocol/rules/placement.hpp"

namespace floe {
namespace {

bool is_active(const node_snapshot& n) { return !(n.flags & node_flag::inactive); }

std::string node_text(pnn n) { return "node " + std::to_string(number(n)); }

/// One check over the active nodes: the first of them about which `find` says something.
template <class Find>
recovery_need first_of(std::span<const node_snapshot> nodes, Find find) {
  for (const auto& n : nodes)
    if (is_active(n))
      if (auto need = find(n)) return need;
  return {};
}

recovery_need check_mode(const node_snapshot& n) {
  if (n.mode != recovery_mode::active) return {};
  return {recovery_reason::mode_active, pnn::unknown,
          node_text(n.node) + " is in recovery mode ACTIVE"};
}

recovery_need check_node_list(const node_snapshot& n, const node_snapshot& own) {
  if (!n.node_list || !own.node_list || *n.node_list == *own.node_list) return {};
  const auto &theirs = *n.node_list, &ours = *own.node_list;
  recovery_need need{recovery_reason::node_list_differs, n.node, {}};
  if (theirs.size() != ours.size()) {
    need.detail = node_text(n.node) + " knows " + std::to_string(theirs.size()) +
                  " nodes, the leader " + std::to_string(ours.size());
    return need;
  }
  const auto line = std::ranges::mismatch(theirs, ours).in1 - theirs.begin();
  const auto i = static_cast<std::size_t>(line);
  need.detail = node_text(n.node) + " has " + theirs[i] + " as node " + std::to_string(i) +
                ", the leader " + ours[i];
  return need;
}

recovery_need check_slots(std::span<const node_snapshot> nodes, const node_snapshot& own) {
  std::vector<map_candidate> candidates;
  for (const auto& n : nodes)
    if (is_active(n))
      candidates.push_back({n.node, (n.capabilities & capability::lmaster) != 0,
                            (n.capabilities & capability::leaving) != 0});
  const auto wanted = make_vnn_slots(candidates, own.node);
  if (own.map.size() != wanted.size())
    return {recovery_reason::map_size, pnn::unknown,
            "records are to be tracked by nodes " + describe(wanted) + ", the vnn map has " +
                describe(own.map)};
  for (const pnn w : wanted)
    if (std::ranges::find(own.map, w) == own.map.end())
      return {recovery_reason::not_in_map, w,
              node_text(w) + " is not in the vnn map " + describe(own.map)};
  return {};
}

recovery_need check_map(const node_snapshot& n, const node_snapshot& own) {
  if (!n.gen) return {};
  if (*n.gen != *own.gen)
    return {recovery_reason::generation_differs, n.node,
            node_text(n.node) + " has generation " + std::to_string(number(*n.gen)) +
                ", the leader " + std::to_string(number(*own.gen))};
  if (n.map != own.map)
    return {recovery_reason::map_differs, n.node,
            node_text(n.node) + " has the map " + describe(n.map) + ", the leader " +
                describe(own.map)};
  return {};
}

/// A member that tracks no records is missed by no map.
recovery_need check_members(const recovery_snapshot& s, const node_snapshot& own) {
  for (const pnn m : s.members) {
    if (std::ranges::find(own.map, m) != own.map.end() || mutated(mutant::lost_beside_the_map))
      continue;
    const auto here = std::ranges::find(s.nodes, m, &node_snapshot::node);
    if (here == s.nodes.end() || !is_active(*here))
      return {recovery_reason::node_lost, pnn::unknown,
              node_text(m) + ", which took part beside the vnn map, does no more"};
  }
  return {};
}

}  // namespace

recovery_need needs_recovery(const recovery_snapshot& s) {
  if (s.unfinished) return {recovery_reason::unfinished, pnn::unknown, "the last one did not end"};
  if (auto need = first_of(s.nodes, check_mode)) return need;
  if (s.lock_lost)
    return {recovery_reason::lock_lost, pnn::unknown, "the cluster lock is not held"};
  if (s.suppressed) return {};
  const auto own = std::ranges::find(s.nodes, s.leader, &node_snapshot::node);
  if (own == s.nodes.end()) return {};
  if (auto need = first_of(s.nodes, [&](const auto& n) { return check_node_list(n, *own); }))
    return need;
  if (!own->gen) return {};
  if (auto need = check_slots(s.nodes, *own)) return need;
  if (auto need = check_members(s, *own)) return need;
  return first_of(s.nodes, [&](const auto& n) { return check_map(n, *own); });
}

std::string_view name(recovery_reason r) {
  switch (r) {
    case recovery_reason::none: return "none";
    case recovery_reason::unfinished: return "unfinished";
    case recovery_reason::mode_active: return "mode_active";
    case recovery_reason::lock_lost: return "lock_lost";
    case recovery_reason::node_list_differs: return "node_list_differs";
    case recovery_reason::map_size: return "map_size";
    case recovery_reason::not_in_map: return "not_in_map";
    case recovery_reason::generation_differs: return "generation_differs";
    case recovery_reason::map_differs: return "map_differs";
    case recovery_reason::node_lost: return "node_lost";
    case recovery_reason::node_unfit: return "node_unfit";
    case recovery_reason::asked: return "asked";
  }
  std::unreachable();
}

duration freeze_patience(freeze_state state, pnn frozen_by, pnn leader, duration budget) {
  if (frozen_by != pnn::unknown && frozen_by != leader) return std::chrono::seconds(1);
  return state == freeze_state::frozen ? duration(std::chrono::seconds(10)) : 4 * budget;
}

}  // namespace floe
