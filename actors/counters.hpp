#pragma once
/// A node's counters. Each is written by the one actor that counts the thing and read when somebody asks; all
/// run on the same thread. They feed the STATISTICS control and `floe statistics`.
#include <array>
#include <bit>
#include <cstdint>

namespace floe {

struct latency_counter {
  std::uint64_t num = 0;
  double min = 0, max = 0, total = 0;  ///< seconds
  /// The extremes of the running interval of the history: they are not differences of two totals.
  std::uint64_t lately = 0;
  double lately_min = 0, lately_max = 0;
  void add(double seconds) {
    if (num == 0 || seconds < min) min = seconds;
    if (seconds > max) max = seconds;
    if (lately == 0 || seconds < lately_min) lately_min = seconds;
    if (seconds > lately_max) lately_max = seconds;
    total += seconds;
    ++num;
    ++lately;
  }
  void begin_interval() {
    lately = 0;
    lately_min = lately_max = 0;
  }
};

struct counters {
  std::uint32_t num_clients = 0;
  std::uint64_t client_packets_sent = 0, client_packets_recv = 0;
  std::uint64_t node_packets_sent = 0, node_packets_recv = 0;
  std::uint64_t keepalive_packets_sent = 0, keepalive_packets_recv = 0;
  std::array<std::uint64_t, 11> node_ops{}, client_ops{};  ///< received, by operation
  std::uint64_t control_timeouts = 0, traverse_timeouts = 0, call_timeouts = 0;
  std::uint64_t locks_granted = 0, locks_failed = 0, locks_held = 0;
  latency_counter lock_latency, call_latency;
  std::array<std::uint32_t, 16> lock_buckets{}, hop_buckets{};
  std::uint64_t total_calls = 0, pending_calls = 0, max_hops = 0;
  /// Transactions' records that a thread of their own stores (ctdbd: a child process).
  std::uint64_t childwrites = 0, childwrites_pending = 0;
  latency_counter childwrite_latency;
  std::uint64_t ro_delegations = 0, ro_revokes = 0;  ///< read-only copies
  std::uint32_t num_recoveries = 0;
  std::uint64_t bad_packets = 0, dropped_generation = 0;

  /// Waits below 1 ms, 10 ms, 100 ms, 1 s, 2, 4, 8, 16, 32, 64 s, and longer (CTDB's buckets).
  void count_lock(double seconds) {
    static constexpr std::array limits{0.001, 0.01, 0.1, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0};
    std::size_t i = 0;
    while (i < limits.size() && seconds >= limits[i]) ++i;
    ++lock_buckets[i];
    lock_latency.add(seconds);
    ++locks_granted;
  }
  void count_hops(std::uint32_t hops) {
    ++hop_buckets[std::min<std::size_t>(15, static_cast<std::size_t>(std::bit_width(hops)))];
    if (hops > max_hops) max_hops = hops;
  }
};

}  // namespace floe
