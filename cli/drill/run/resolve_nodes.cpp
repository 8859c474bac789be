#include "cli/drill/run/resolve_nodes.hpp"

#include "cli/drill/run/drill_run.hpp"

namespace floe::cli::drill {
namespace {

/// A node that is up and running, chosen by the drill's chance among those that pass.
std::expected<std::size_t, std::string> chosen(drill_run& s, const char* what,
                                               bool (*pass)(drill_run&, std::size_t)) {
  std::vector<std::size_t> those;
  s.poll_nodes();
  for (std::size_t n = 0; n < s.cluster().size(); ++n)
    if (s.cluster().responsive(n) && pass(s, n)) those.push_back(n);
  if (those.empty()) return std::unexpected(std::string("there is no ") + what + " now");
  return s.it = those[s.pick(those.size())];
}

}  // namespace

std::expected<std::size_t, std::string> resolve(drill_run& s, const node_ref& node) {
  switch (node.is) {
    case node_ref::kind::number: return s.it = node.number;
    case node_ref::kind::leader:
      return chosen(s, "leader", [](drill_run& r, std::size_t n) { return r.leader() == n; });
    case node_ref::kind::follower:
      return chosen(s, "follower", [](drill_run& r, std::size_t n) { return r.leader() != n; });
    case node_ref::kind::any:
      return chosen(s, "running node", [](drill_run&, std::size_t) { return true; });
    case node_ref::kind::it: return s.it;
    case node_ref::kind::named: {
      const auto i = s.named_nodes.find(node.name);
      if (i == s.named_nodes.end())
        return std::unexpected("no node has been called " + node.name + " yet");
      return s.it = i->second;
    }
    case node_ref::kind::none: break;
  }
  return std::unexpected("no node is named");
}

std::expected<node_list, std::string> resolve(drill_run& s, const std::vector<node_ref>& refs) {
  node_list all;
  for (const auto& r : refs) {
    const auto n = resolve(s, r);
    if (!n) return std::unexpected(n.error());
    all.push_back(*n);
  }
  return all;
}

action for_each_node(std::vector<node_ref> nodes,
                     std::function<outcome(drill_run&, std::size_t)> what) {
  return [nodes = std::move(nodes), what = std::move(what)](drill_run& s) -> outcome {
    for (const auto& ref : nodes) {
      const auto n = resolve(s, ref);
      if (!n) return failed_because(n.error());
      if (auto done = what(s, *n); !done) return done;
    }
    return {};
  };
}

}  // namespace floe::cli::drill
