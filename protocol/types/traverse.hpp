#pragma once
/// Reading a whole database of the cluster: a client asks its node, which asks all others; records
/// come as messages. Facts: Samba ctdb/protocol/protocol_types.c (ctdb_traverse_*).
#include <cstddef>
#include <cstdint>

#include "protocol/ids.hpp"

namespace floe {

/// TRAVERSE_START, TRAVERSE_KILL: from a client. Answers go to its srvid with its reqid.
struct traverse_start {
  static constexpr std::size_t wire_size = 16;
  floe::db_id db_id{0};
  floe::reqid reqid{0};
  floe::srvid srvid{0};
  bool operator==(const traverse_start&) const = default;
};

struct traverse_start_ext {
  static constexpr std::size_t wire_size = 24;
  floe::db_id db_id{0};
  floe::reqid reqid{0};
  floe::srvid srvid{0};
  std::uint8_t withemptyrecords = 0;  ///< anything but 0: also empty records
  bool operator==(const traverse_start_ext&) const = default;
};

/// TRAVERSE_ALL: from the node that started. Answers go back to it as TRAVERSE_DATA with `reqid`.
struct traverse_all {
  static constexpr std::size_t wire_size = 24;
  floe::db_id db_id{0};
  floe::reqid reqid{0};
  floe::pnn pnn{0};  ///< the starting node
  floe::reqid client_reqid{0};
  floe::srvid srvid{0};
  bool operator==(const traverse_all&) const = default;
};

struct traverse_all_ext {
  static constexpr std::size_t wire_size = 32;
  floe::db_id db_id{0};
  floe::reqid reqid{0};
  floe::pnn pnn{0};
  floe::reqid client_reqid{0};
  floe::srvid srvid{0};
  std::uint8_t withemptyrecords = 0;
  bool operator==(const traverse_all_ext&) const = default;
};

}  // namespace floe
