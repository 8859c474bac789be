#include "protocol/rules/node_list.hpp"

#include <algorithm>

namespace floe {
namespace {

std::string shown(const node_lines& l, std::size_t i) {
  if (i >= l.size()) return "nothing";
  return l[i].empty() ? "a deleted node" : l[i];
}

}  // namespace

std::vector<std::string> differences(const node_lines& here, const node_lines& there,
                                     std::size_t most) {
  std::vector<std::string> found;
  std::size_t more = 0;
  for (std::size_t i = 0; i < std::max(here.size(), there.size()); ++i) {
    if (i < here.size() && i < there.size() && here[i] == there[i]) continue;
    if (found.size() < most)
      found.push_back("node " + std::to_string(i) + ": here " + shown(here, i) + ", there " +
                      shown(there, i));
    else
      ++more;
  }
  if (more > 0) found.push_back("and " + std::to_string(more) + " more");
  return found;
}

std::expected<node_list_change, std::string> plan_reload(const node_lines& now,
                                                         const node_lines& wanted, pnn self) {
  if (wanted.size() < now.size())
    return std::unexpected("the line of node " + std::to_string(wanted.size()) +
                           " is missing: delete a node by commenting its line out");
  node_list_change change;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const pnn p{static_cast<std::uint32_t>(i)};
    const std::string before = i < now.size() ? now[i] : std::string();
    if (before == wanted[i]) continue;
    if (before.empty()) {
      change.added.push_back(p);
    } else if (!wanted[i].empty()) {
      return std::unexpected("node " + std::to_string(i) + " changes from " + before + " to " +
                             wanted[i] + ": delete the node first");
    } else if (p == self) {
      return std::unexpected("node " + std::to_string(i) + " is this node itself");
    } else {
      change.removed.push_back(p);
    }
  }
  return change;
}

}  // namespace floe
