#pragma once
/// What a node knows of its cluster, put together from CTDB's own controls, so that it works with a
/// ctdbd as well; a floe node adds a report of its own.
#include <optional>
#include <string>

#include "cli/context.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/vnn_map.hpp"

namespace floe::cli {

struct cluster_state {
  pnn node{0};  ///< whose view this is
  node_map nodes;
  vnn_map map;
  recovery_mode mode = recovery_mode::active;
  floe::runstate run = floe::runstate::unknown;
  std::optional<pnn> leader;
  std::string report;  ///< of GET_NODE_STATUS, JSON; empty: not a floe node

  /// NORMAL, RUNNING, every node that is not deleted without a flag; and a floe node's own report agrees: there is a
  /// leader, the cluster lock and the storage work, every database is in use.
  bool healthy() const;
  /// Healthy, or all that is wrong is a database that waiting does not mend: damaged everywhere, disputed.
  bool is_up() const;
};

result<cluster_state> ask_cluster_state(blocking_client&, pnn, duration patience);
/// What healthy() needs: all but the leader.
void ask_cluster_health(client&, pnn, duration patience, when_done<cluster_state>);

/// A floe node tells; with a ctdbd one listens until the leader says so, which it does every
/// second.
result<pnn> find_leader(blocking_client&, pnn asked, duration patience);

/// "OK", or the flags joined by '|'.
std::string node_state_text(std::uint32_t flags);

}  // namespace floe::cli
