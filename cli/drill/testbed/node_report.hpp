#pragma once
/// A node's answer to GET_NODE_STATUS, and what a drill looks at in it: recovery mode, leader, generation, the flags that it
/// gives every node, how each database stands, and whether a recovery that it leads is held.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace floe::cli::drill {

struct database_report {
  std::string name, state;
  std::uint32_t generation = 0;
  std::uint64_t locks = 0, waiting = 0, records = 0;
  std::uint64_t migrations_pending = 0, migrations_resent = 0;
};

struct node_report {
  bool fresh = false;  ///< it answered when it was asked last
  bool normal_mode = false, running = false;
  std::uint32_t generation = 0;
  std::optional<std::size_t> leader;
  std::vector<std::uint32_t> flags;  ///< of every node, as this one sees them
  std::vector<database_report> databases;
  std::string held;  ///< the phase in which the recovery that it leads is held
  bool recovering = false;

  /// Of a node; one that is not on its list is not connected to it.
  std::uint32_t flags_of(std::size_t n) const;
  const database_report* database(std::string_view name) const;
};

/// Nothing if the text is no report of a node.
std::optional<node_report> read_node_report(std::string_view status_json);

}  // namespace floe::cli::drill
