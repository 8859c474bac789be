#pragma once
/// floe's own controls, refused from peers and unknown to ctdbd: record access for clients of a
/// node (a CTDB client would lock and open a database file instead). A lock is held by the
/// connection that took it, and named by an id that the node chooses.
#include <cstddef>
#include <cstdint>

#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"
#include "protocol/record.hpp"

namespace floe {

/// RECORD_LOCK: migrate the record here if need be, wait for the lock, answer with the content.
struct record_lock_request {
  static constexpr std::size_t wire_size_min = 16;
  floe::db_id db_id{0};
  std::uint32_t flags = 0;
  std::uint32_t timeout_ms = 0;  ///< 0: the node's own limit
  byte_view key;
  bool operator==(const record_lock_request&) const = default;
};

struct record_lock_reply {
  static constexpr std::size_t wire_size_min = 36;
  record_header header;
  byte_view data;
  std::uint64_t lock_id = 0;
  bool operator==(const record_lock_reply&) const = default;
};

struct record_read_request {
  static constexpr std::size_t wire_size_min = 12;
  floe::db_id db_id{0};
  std::uint32_t flags = 0;
  byte_view key;
  bool operator==(const record_read_request&) const = default;
};

struct record_read_reply {
  static constexpr std::size_t wire_size_min = 32;
  std::uint32_t found = 0;  ///< 1: there is such a record
  record_header header;
  byte_view data;
  bool operator==(const record_read_reply&) const = default;
};

struct record_store_request {
  static constexpr std::size_t wire_size_min = 16;
  std::uint64_t lock_id = 0;
  std::uint32_t flags = 0;
  byte_view data;
  bool operator==(const record_store_request&) const = default;
};

struct record_delete_request {
  static constexpr std::size_t wire_size = 12;
  std::uint64_t lock_id = 0;
  std::uint32_t flags = 0;
  bool operator==(const record_delete_request&) const = default;
};

/// RECORD_SCAN: this node's own copies, whoever is dmaster, in the order of its store.
struct record_scan_request {
  static constexpr std::size_t wire_size_min = 16;
  floe::db_id db_id{0};
  std::uint32_t flags = 0;
  std::uint32_t max_bytes =
      0;            ///< of the answer; at least one record comes, the node has a limit of its own
  byte_view after;  ///< the last key seen; empty: from the beginning
  bool operator==(const record_scan_request&) const = default;
};

/// RECORD_TABLE: see actors/table/README.md. The answer brings two descriptors.
struct record_table_request {
  static constexpr std::size_t wire_size = 8;
  floe::db_id db_id{0};
  std::uint32_t flags = 0;  ///< record_table_leave
  bool operator==(const record_table_request&) const = default;
};

struct record_table_reply {
  static constexpr std::size_t wire_size = 8;
  std::uint32_t client = 0;  ///< the number that this client has in the table
  std::uint32_t reserved = 0;
  bool operator==(const record_table_reply&) const = default;
};

struct record_unlock_request {
  static constexpr std::size_t wire_size = 8;
  std::uint64_t lock_id = 0;
  bool operator==(const record_unlock_request&) const = default;
};

}  // namespace floe
