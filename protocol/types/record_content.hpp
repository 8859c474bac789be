#pragma once
/// What is found inside records: the process that holds a cluster-wide lock, and the lock record of
/// CTDB's own client library (database g_lock.tdb). Samba's smbd keeps another layout under the
/// same key. Facts: Samba ctdb/protocol/protocol_types.c (ctdb_server_id_push, ctdb_g_lock_push).
#include <cstddef>
#include <cstdint>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"

namespace floe {

struct server_id {
  static constexpr std::size_t wire_size = 24;
  std::uint64_t pid = 0;
  std::uint32_t task_id = 0;
  pnn vnn{0};
  std::uint64_t unique_id = 0;
  bool operator==(const server_id&) const = default;
};

enum class g_lock_type : std::uint32_t { read = 0, write = 1 };

struct g_lock {
  static constexpr std::size_t wire_size = 32;
  g_lock_type type = g_lock_type::read;
  server_id holder;
  bool operator==(const g_lock&) const = default;
};

/// The holders of one lock, to the end of the record.
struct g_lock_list {
  std::vector<g_lock> locks;
  bool operator==(const g_lock_list&) const = default;
};

/// Key of the lock that a transaction on this database takes, its NUL included:
/// "transaction_db_0x0123abcd".
bytes transaction_lock_key(db_id db);

}  // namespace floe
