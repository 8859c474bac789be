#pragma once
/// The list of nodes: who belongs to the cluster, following the nodes file while running, peers that are kept out.
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/control_call.hpp"
#include "actors/node/membership/membership.hpp"
#include "actors/node/messaging/messaging.hpp"
#include "actors/node/node_port.hpp"
#include "actors/node/tunables.hpp"
#include "protocol/rules/node_list.hpp"

namespace floe {

class nodes_list {
 public:
  nodes_list(node_port& port, membership& m, messaging& messages, tunable_controls& tunables)
      : port_(port), membership_(m), messages_(messages), tunables_(tunables) {}

  /// A link to every other node, as part of a view that nobody has seen yet.
  view_ptr with_links() const;
  /// A peer is there and is kept out, until it comes in.
  void refused(const peer_refused&);
  void came_in(pnn p) { refused_.erase(p); }
  const std::map<pnn, std::string>& kept_out() const { return refused_; }
  /// For those that this node did not start with: since when they are in its list.
  std::optional<duration> listed_for(pnn) const;

  outcome_of<control::get_nodemap> get_nodemap() const;
  void get_nodes_file(const answer_to<control::get_nodes_file>&);
  void reload_nodes_file(const answer_to<control::reload_nodes_file>&);

 private:
  using read_nodes = std::expected<std::vector<configured_node>, std::string>;

  node_lines own_lines() const;
  /// The file as it is now; a command is run on another thread.
  void read(std::function<void(const read_nodes&)> then);
  void reload(const read_nodes&, const answer_to<control::reload_nodes_file>&);
  address<link_message> spawn_link(pnn, const endpoint&, const node_lines&) const;
  void follow(const std::vector<configured_node>& file, const node_lines& wanted,
              const node_list_change&);

  node_port& port_;
  membership& membership_;
  messaging& messages_;
  tunable_controls& tunables_;
  std::map<pnn, std::string> refused_;  ///< and why
  std::map<pnn, time_point> added_;     ///< when the list was read again
};

}  // namespace floe
