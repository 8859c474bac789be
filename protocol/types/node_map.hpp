#pragma once
/// All nodes in the order of the nodes file, deleted lines included (address 0.0.0.0, flag
/// DELETED). Facts: Samba ctdb/protocol/protocol_types.c (ctdb_node_map_push,
/// ctdb_node_flag_change_push).
#include <cstddef>
#include <cstdint>
#include <vector>

#include "protocol/ids.hpp"
#include "protocol/types/sock_addr.hpp"

namespace floe {

struct node_and_flags {
  static constexpr std::size_t wire_size = 36;
  floe::pnn pnn{0};
  std::uint32_t flags = 0;  ///< node_flag bits; never reached: DISCONNECTED|UNHEALTHY
  sock_addr addr;
  bool operator==(const node_and_flags&) const = default;
};

struct node_map {
  static constexpr std::size_t wire_size_min = 4;
  std::vector<node_and_flags> nodes;
  bool operator==(const node_map&) const = default;
};

struct node_flag_change {
  static constexpr std::size_t wire_size = 12;
  floe::pnn pnn{0};
  std::uint32_t new_flags = 0;
  std::uint32_t old_flags = 0;
  bool operator==(const node_flag_change&) const = default;
};

}  // namespace floe
