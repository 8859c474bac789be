#pragma once
/// What nodes say about themselves and each other: bans, uptime, and the vote of an election.
/// Facts: Samba ctdb/protocol/protocol_types.c, ctdb/server/ctdb_recoverd.c (election_message).
#include <cstddef>
#include <cstdint>

#include "protocol/ids.hpp"
#include "protocol/types/basic.hpp"

namespace floe {

struct ban_state {
  static constexpr std::size_t wire_size = 8;
  floe::pnn pnn{0};
  std::uint32_t time = 0;  ///< seconds; 0 = not banned, or lift the ban
  bool operator==(const ban_state&) const = default;
};

struct uptime {
  static constexpr std::size_t wire_size = 64;
  timeval current_time;
  timeval ctdbd_start_time;
  timeval last_recovery_started;
  timeval last_recovery_finished;
  bool operator==(const uptime&) const = default;
};

struct election_message {
  static constexpr std::size_t wire_size = 32;
  std::uint32_t num_connected = 0;
  timeval priority_time;  ///< when the sender started; the older wins
  floe::pnn pnn{0};
  std::uint32_t node_flags = 0;
  bool operator==(const election_message&) const = default;
};

}  // namespace floe
