#include "protocol/rules/lineage.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace floe {
namespace {

/// One generation: where its nodes are and who belongs to it.
struct branch {
  std::vector<pnn> nodes;    ///< at this generation now
  std::vector<pnn> members;  ///< as any of them knows
};

bool meet(const std::vector<pnn>& a, const std::vector<pnn>& b) {
  return std::ranges::any_of(a, [&](pnn n) { return std::ranges::find(b, n) != b.end(); });
}

bool older(const branch& a, const branch& b) {
  return meet(a.members, b.nodes) && !meet(b.members, a.nodes);
}
bool same(const branch& a, const branch& b) {
  return meet(a.members, b.nodes) && meet(b.members, a.nodes);
}

/// Joins generations that are one history, until no two are.
void join_same(std::vector<branch>& branches) {
  for (std::size_t i = 0; i < branches.size(); ++i)
    for (std::size_t j = i + 1; j < branches.size(); ++j)
      if (same(branches[i], branches[j])) {
        auto& into = branches[i];
        const auto& from = branches[j];
        into.nodes.insert(into.nodes.end(), from.nodes.begin(), from.nodes.end());
        into.members.insert(into.members.end(), from.members.begin(), from.members.end());
        branches.erase(branches.begin() + static_cast<std::ptrdiff_t>(j));
        return join_same(branches);
      }
}

}  // namespace

std::vector<pnn> last_generation_members(std::span<const lineage_claim> claims, pnn leader) {
  std::map<generation, branch> by_generation;
  for (const auto& c : claims) {
    if (c.gen == generation::invalid) continue;
    auto& b = by_generation[c.gen];
    b.nodes.push_back(c.node);
    b.members.insert(b.members.end(), c.members.begin(), c.members.end());
  }
  std::vector<branch> branches;
  for (auto& [gen, b] : by_generation) branches.push_back(std::move(b));
  join_same(branches);

  std::vector<branch> current;
  for (const auto& b : branches)
    if (std::ranges::none_of(branches, [&](const branch& o) { return older(b, o); }))
      current.push_back(b);
  // only contradictory claims leave nobody: each history older than the next, in a circle
  if (current.empty()) current = branches;
  if (current.empty()) return {};

  for (auto& b : current) std::ranges::sort(b.nodes);
  const auto rank = [&](const branch& b) {
    const bool leads = std::ranges::find(b.nodes, leader) != b.nodes.end();
    return std::tuple(b.nodes.size(), leads, ~number(b.nodes.front()));
  };
  return std::ranges::max_element(current, {}, rank)->nodes;
}

}  // namespace floe
