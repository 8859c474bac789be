#pragma once
/// Counters of a node since its start or the last reset, and the history of snapshots of them.
/// Facts: Samba ctdb/protocol/protocol_types.c (ctdb_statistics_push), ctdb/include/ctdb_private.h
/// (CTDB_INCREMENT_*).
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "protocol/types/basic.hpp"

namespace floe {

using counter_buckets = std::array<std::uint32_t, 16>;

struct statistics {
  static constexpr std::size_t wire_size = 488;
  std::uint32_t num_clients = 0;
  std::uint32_t frozen = 0;      ///< databases
  std::uint32_t recovering = 0;  ///< 1 while recovery mode is ACTIVE
  std::uint32_t client_packets_sent = 0;
  std::uint32_t client_packets_recv = 0;
  std::uint32_t node_packets_sent = 0;
  std::uint32_t node_packets_recv = 0;
  std::uint32_t keepalive_packets_sent = 0;
  std::uint32_t keepalive_packets_recv = 0;
  std::uint32_t node_req_call = 0;
  std::uint32_t node_reply_call = 0;
  std::uint32_t node_req_dmaster = 0;
  std::uint32_t node_reply_dmaster = 0;
  std::uint32_t node_reply_error = 0;
  std::uint32_t node_req_message = 0;
  std::uint32_t node_req_control = 0;
  std::uint32_t node_reply_control = 0;
  std::uint32_t node_req_tunnel = 0;
  std::uint32_t client_req_call = 0;
  std::uint32_t client_req_message = 0;
  std::uint32_t client_req_control = 0;
  std::uint32_t client_req_tunnel = 0;
  std::uint32_t timeouts_call = 0;
  std::uint32_t timeouts_control = 0;
  std::uint32_t timeouts_traverse = 0;
  latency reclock_ctdbd;  ///< of the cluster lock, taken by the daemon
  latency reclock_recd;
  std::uint32_t locks_num_calls = 0;
  std::uint32_t locks_num_current = 0;
  std::uint32_t locks_num_pending = 0;
  std::uint32_t locks_num_failed = 0;
  latency locks_latency;
  counter_buckets
      locks_buckets{};  ///< waits below 1 ms, 10 ms, 100 ms, 1 s, 2 s, 4 s ... 64 s, longer
  std::uint32_t total_calls = 0;
  std::uint32_t pending_calls = 0;
  std::uint32_t childwrite_calls = 0;
  std::uint32_t pending_childwrite_calls = 0;
  std::uint32_t memory_used = 0;
  std::uint32_t last_counter = 0;
  std::uint32_t max_hop_count = 0;
  counter_buckets hop_count_bucket{};  ///< by the length of a hop count in bits, at most 15
  latency call_latency;
  latency childwrite_latency;
  std::uint32_t num_recoveries = 0;
  timeval statistics_start_time;
  timeval statistics_current_time;
  std::uint32_t total_ro_delegations = 0;
  std::uint32_t total_ro_revokes = 0;
  bool operator==(const statistics&) const = default;
};

/// Newest first. A 4.17 daemon always sends 100 entries, zero where there is nothing yet.
struct statistics_list {
  static constexpr std::size_t wire_size_min = 8;
  std::vector<statistics> stats;
  bool operator==(const statistics_list&) const = default;
};

}  // namespace floe
