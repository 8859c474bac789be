#pragma once
/// TCP connections of services, and the list that a node keeps for a public address so that whoever
/// takes the address over can tickle the clients. Facts: Samba ctdb/protocol/protocol_types.c
/// (ctdb_connection_push, ctdb_tickle_list_push).
#include <cstddef>
#include <vector>

#include "protocol/types/sock_addr.hpp"

namespace floe {

struct tcp_connection {
  static constexpr std::size_t wire_size = 56;
  sock_addr src;
  sock_addr dst;
  bool operator==(const tcp_connection&) const = default;
};

struct tickle_list {
  static constexpr std::size_t wire_size_min = 32;
  sock_addr addr;
  std::vector<tcp_connection> connections;
  bool operator==(const tickle_list&) const = default;
};

}  // namespace floe
