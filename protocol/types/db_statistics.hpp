#pragma once
/// Counters of one database, with its most travelled keys.
/// Facts: Samba ctdb/protocol/protocol_types.c (ctdb_db_statistics_push).
#include <array>
#include <cstddef>
#include <cstdint>

#include "protocol/bytes.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/statistics.hpp"

namespace floe {

struct lock_counts {
  static constexpr std::size_t wire_size = 16;
  std::uint32_t num_calls = 0;
  std::uint32_t num_current = 0;
  std::uint32_t num_pending = 0;
  std::uint32_t num_failed = 0;
  bool operator==(const lock_counts&) const = default;
};

struct hot_key {
  std::uint32_t count = 0;
  byte_view key;
  bool operator==(const hot_key&) const = default;
};

struct db_statistics {
  static constexpr std::size_t wire_size_min = 464;
  static constexpr std::size_t hot_keys_max = 10;
  lock_counts locks;
  latency locks_latency;
  counter_buckets locks_buckets{};
  latency vacuum_latency;
  std::uint32_t db_ro_delegations = 0;
  std::uint32_t db_ro_revokes = 0;
  counter_buckets hop_count_bucket{};
  std::uint32_t num_hot_keys =
      hot_keys_max;  ///< a daemon always says 10; entries not in use are empty
  std::array<hot_key, hot_keys_max> hot_keys{};
  bool operator==(const db_statistics&) const = default;
};

}  // namespace floe
