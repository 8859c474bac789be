#include "protocol/rules/placement.hpp"

#include <algorithm>

#include "protocol/hash.hpp"
#include "protocol/mutant.hpp"

namespace floe {

pnn lmaster_of(byte_view key, std::span<const pnn> map) {
  if (map.empty()) return pnn::unknown;
  return map[key_hash(key) % map.size()];
}

pnn owner_of(byte_view key, pnn dmaster, std::span<const pnn> map, std::span<const pnn> members) {
  if (std::ranges::find(members, dmaster) != members.end() ||
      mutated(mutant::owner_outside_map_kept))
    return dmaster;
  return lmaster_of(key, map);
}

std::vector<pnn> make_vnn_slots(std::span<const map_candidate> participants, pnn leader) {
  std::vector<pnn> slots;
  for (const auto& p : participants)
    if (p.lmaster_capable) slots.push_back(p.node);
  std::ranges::sort(slots);
  if (!slots.empty()) return slots;
  const bool leader_leaves = std::ranges::any_of(
      participants, [&](const map_candidate& p) { return p.node == leader && p.leaves; });
  for (const auto& p : participants)
    if (leader_leaves && !p.leaves) slots.push_back(p.node);
  return {slots.empty() ? leader : std::ranges::min(slots)};
}

}  // namespace floe
