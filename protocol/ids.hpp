#pragma once
/// The numbers of the cluster, a type for each, so that none is passed as another.
/// Wire numbers as in CTDB 4.17 (ctdb/protocol/protocol.h).
#include <cstdint>
#include <limits>

namespace floe {

/// A node's fixed number: its line in the nodes file, from 0. Values from 0xF0000001 are special
/// destinations.
enum class pnn : std::uint32_t {
  current = 0xF0000001,              ///< client to node: the node the client is connected to
  broadcast_all = 0xF0000002,        ///< every node that is not deleted
  broadcast_active = 0xF0000003,     ///< every node without an inactive flag
  broadcast_connected = 0xF0000004,  ///< every node that is neither deleted nor disconnected
  multicast = 0xF0000005,            ///< reserved, an invalid node
  unknown = 0xFFFFFFFF,
};
constexpr std::uint32_t number(pnn p) { return static_cast<std::uint32_t>(p); }
constexpr bool is_broadcast(pnn p) {
  return p == pnn::broadcast_all || p == pnn::broadcast_active || p == pnn::broadcast_connected;
}

/// hash(name with its NUL); see hash.hpp.
enum class db_id : std::uint32_t {};
constexpr std::uint32_t number(db_id d) { return static_cast<std::uint32_t>(d); }

/// Epoch of the last recovery, of the cluster or of one database. Random, not ordered: only equal
/// or different.
enum class generation : std::uint32_t { invalid = 1 };
constexpr std::uint32_t number(generation g) { return static_cast<std::uint32_t>(g); }

/// Record sequence number; counts changes of ownership. In a recovery the copy with the highest rsn
/// wins.
enum class rsn : std::uint64_t {};
constexpr std::uint64_t number(rsn r) { return static_cast<std::uint64_t>(r); }
constexpr rsn next(rsn r) { return rsn{number(r) + 1}; }

/// Address of a message within a node.
enum class srvid : std::uint64_t {};
constexpr std::uint64_t number(srvid s) { return static_cast<std::uint64_t>(s); }

/// Matches a reply with its request; chosen by the requester, opaque to everybody else.
enum class reqid : std::uint32_t {};
constexpr std::uint32_t number(reqid r) { return static_cast<std::uint32_t>(r); }

enum class recovery_mode : std::uint32_t { normal = 0, active = 1 };

enum class runstate : std::uint32_t {
  unknown = 0,
  init = 1,
  setup = 2,
  first_recovery = 3,
  startup = 4,
  running = 5,
  shutdown = 6,
};

}  // namespace floe
