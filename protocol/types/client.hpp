#pragma once
/// What clients register, ask and tell each other through the node.
/// Facts: Samba ctdb/protocol/protocol_types.c (ctdb_notify_data_push, ctdb_pid_srvid_push,
/// ctdb_echo_data_push) and protocol_message.c (ctdb_srvid_message, ctdb_disable_message).
#include <cstddef>
#include <cstdint>

#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"
#include "protocol/types/basic.hpp"

namespace floe {

/// REGISTER_NOTIFY: send `data` to `srvid` everywhere when this client is gone.
struct notify_data {
  static constexpr std::size_t wire_size_min = 12;
  floe::srvid srvid{0};
  byte_view data;
  bool operator==(const notify_data&) const = default;
};

/// Is there a client with this process id and this registration?
struct pid_srvid {
  static constexpr std::size_t wire_size = 12;
  process_id pid{0};
  floe::srvid srvid{0};
  bool operator==(const pid_srvid&) const = default;
};

struct echo_data {
  static constexpr std::size_t wire_size_min = 8;
  std::uint32_t timeout = 0;  ///< milliseconds; a 4.17 daemon answers without waiting
  byte_view data;
  bool operator==(const echo_data&) const = default;
};

/// Where the answer of a message goes; srvid 0: no answer wanted.
struct srvid_message {
  static constexpr std::size_t wire_size = 16;
  floe::pnn pnn{0};
  floe::srvid srvid{0};
  bool operator==(const srvid_message&) const = default;
};

struct disable_message {
  static constexpr std::size_t wire_size = 24;
  floe::pnn pnn{0};
  floe::srvid srvid{0};
  std::uint32_t timeout = 0;  ///< seconds, 0 = enable again
  bool operator==(const disable_message&) const = default;
};

}  // namespace floe
