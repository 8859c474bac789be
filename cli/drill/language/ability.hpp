#pragma once
/// What a drill can be played on differs: what lines need, and testbeds can do or not.
#include <cstdint>

namespace floe::cli::drill {

/// What a line of a drill may need beyond nodes, clients and signals.
enum class ability : std::uint8_t {
  clock_skew,  ///< nodes with a wrong clock on the wall
  full_disk,
  failing_disk,  ///< the nth write or flush is refused
  slow_disk,
  cut_links,      ///< partitions, of one direction too
  bad_links,      ///< delay, loss, rate
  stray_streams,  ///< connections between nodes end, or are opened, that no node has ended or opened
  lock_faults,    ///< the cluster lock is lost, wedged, held by a stranger
  transactions,   ///< of clients, by the node's own controls
  new_nodes,      ///< nodes are added and deleted while the cluster runs
  held_recoveries,  ///< a recovery waits at a phase
  database_states,  ///< each database of each node tells whether it is frozen
  client_packets,   ///< what clients and nodes say to each other is seen
};

}  // namespace floe::cli::drill
