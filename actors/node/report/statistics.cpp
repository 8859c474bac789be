#include "actors/node/report/statistics.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "protocol/types/basic.hpp"

namespace floe {
namespace {

/// As many as the reply of GET_STAT_HISTORY always has.
constexpr std::size_t history_length = 100;

timeval as_timeval(std::int64_t us) { return {us / 1'000'000, us % 1'000'000}; }
std::uint32_t u32(std::uint64_t n) { return static_cast<std::uint32_t>(n); }

latency as_latency(const latency_counter& c) {
  return {.num = static_cast<std::int32_t>(c.num), .min = c.min, .max = c.max, .total = c.total};
}

floe::statistics read_counters(const counters& c) {
  floe::statistics s;
  s.num_clients = c.num_clients;
  s.client_packets_sent = u32(c.client_packets_sent);
  s.client_packets_recv = u32(c.client_packets_recv);
  s.node_packets_sent = u32(c.node_packets_sent);
  s.node_packets_recv = u32(c.node_packets_recv);
  s.keepalive_packets_sent = u32(c.keepalive_packets_sent);
  s.keepalive_packets_recv = u32(c.keepalive_packets_recv);
  const auto op = [](const auto& ops, std::size_t i) { return u32(ops[i]); };
  s.node_req_call = op(c.node_ops, 0);
  s.node_reply_call = op(c.node_ops, 1);
  s.node_req_dmaster = op(c.node_ops, 2);
  s.node_reply_dmaster = op(c.node_ops, 3);
  s.node_reply_error = op(c.node_ops, 4);
  s.node_req_message = op(c.node_ops, 5);
  s.node_req_control = op(c.node_ops, 6);
  s.node_reply_control = op(c.node_ops, 7);
  s.node_req_tunnel = op(c.node_ops, 9);
  s.client_req_call = op(c.client_ops, 0);
  s.client_req_message = op(c.client_ops, 5);
  s.client_req_control = op(c.client_ops, 6);
  s.client_req_tunnel = op(c.client_ops, 9);
  s.timeouts_call = u32(c.call_timeouts);
  s.timeouts_control = u32(c.control_timeouts);
  s.timeouts_traverse = u32(c.traverse_timeouts);
  s.locks_num_calls = u32(c.locks_granted + c.locks_failed);
  s.locks_num_current = u32(c.locks_held);
  s.locks_num_failed = u32(c.locks_failed);
  s.locks_latency = as_latency(c.lock_latency);
  s.locks_buckets = c.lock_buckets;
  s.total_calls = u32(c.total_calls);
  s.pending_calls = u32(c.pending_calls);
  s.max_hop_count = u32(c.max_hops);
  s.hop_count_bucket = c.hop_buckets;
  s.call_latency = as_latency(c.call_latency);
  s.num_recoveries = c.num_recoveries;
  return s;
}

}  // namespace

std::uint64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  in >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// The counters as they are now; what only the databases know is left out.
floe::statistics statistics_keeper::now() const {
  auto s = read_counters(port_.env.count);
  s.memory_used = u32(std::min<std::uint64_t>(resident_bytes(), UINT32_MAX));
  s.recovering = port_.view().mode == recovery_mode::active;
  const auto& all = databases_.all();
  s.frozen = !all.empty() && std::ranges::all_of(all, [](const auto& d) { return d.second.state != freeze_state::thawed; });
  s.statistics_start_time = as_timeval(since_us_);
  s.statistics_current_time = as_timeval(port_.env.loop.wall_us());
  return s;
}

void statistics_keeper::statistics(const answer_to<control::statistics>& answer) const {
  databases_.inspect(false, [s = now(), answer](const std::vector<database_report>& all) mutable {
    for (const auto& d : all) s.locks_num_pending += u32(d.locks_waiting);
    answer.good(s);
  });
}

void statistics_keeper::tick() {
  const auto interval = std::chrono::seconds(std::max(1U, port_.tunables[tunable::stat_history_interval]));
  if (port_.env.loop.now() < next_snapshot_) return;
  next_snapshot_ = port_.env.loop.now() + interval;
  history_.push_front(now());
  if (history_.size() > history_length) history_.pop_back();
}

outcome_of<control::statistics_reset> statistics_keeper::reset() {
  auto& count = port_.env.count;
  count = counters{.num_clients = count.num_clients, .locks_held = count.locks_held, .pending_calls = count.pending_calls};
  port_.limits = {};
  since_us_ = port_.env.loop.wall_us();
  return {};
}

outcome_of<control::get_stat_history> statistics_keeper::history() const {
  reply_of<control::get_stat_history> list;
  list.stats.assign(history_.begin(), history_.end());
  list.stats.resize(history_length);
  return list;
}

}  // namespace floe
