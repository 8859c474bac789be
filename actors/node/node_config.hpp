#pragma once
/// Everything a node needs to know before it starts. Read from DIR/ctdb.conf and DIR/nodes by the program; made by
/// hand in tests and simulations.
#include <string>
#include <vector>

#include "actors/net/network.hpp"
#include "protocol/ids.hpp"
#include "protocol/rules/quorum.hpp"
#include "protocol/tunables.hpp"

namespace floe {

class database_witness;

struct configured_node {
  endpoint where;
  bool deleted = false;  ///< its line is commented out: the number stays taken
};

struct node_config {
  std::string base;  ///< the directory (CTDB_BASE)
  pnn self{0};
  std::vector<configured_node> nodes;  ///< index = pnn
  std::string nodes_file;
  std::string socket;  ///< of the clients
  std::string volatile_dir, persistent_dir, state_dir;
  bool leader_capable = true;
  bool lmaster_capable = true;
  bool start_stopped = false;
  bool start_disabled = false;
  std::string cluster_lock;  ///< a path or `!` and a command; empty: none
  quorum_rule quorum = quorum_rule::lock;
  duration leader_timeout{std::chrono::seconds(5)};  ///< no leader broadcast for so long: election
  bool freeze_all_first =
      false;  ///< diagnosis: recover as before 2015, all databases frozen together
  bool verify_recoveries =
      false;  ///< what all nodes have after a recovery is compared before it is thawed
  tunable_list tunables;
  std::size_t max_packet = 64u << 20;   ///< from a client
  database_witness* witness = nullptr;  ///< of a simulation; outlives the node
};

/// A node that carries on what a client has sent, or answers with it, has a little more room for headers.
inline stream_limits limits_between_nodes(const node_config& c) {
  constexpr std::size_t room_for_headers = 64u << 10;
  return {.max_packet = c.max_packet + room_for_headers};
}

}  // namespace floe
