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
  s.childwrite_calls = u32(c.childwrites);
  s.pending_childwrite_calls = u32(c.childwrites_pending);
  s.childwrite_latency = as_latency(c.childwrite_latency);
  s.total_ro_delegations = u32(c.ro_delegations);
  s.total_ro_revokes = u32(c.ro_revokes);
  s.max_hop_count = u32(c.max_hops);
  s.hop_count_bucket = c.hop_buckets;
  s.call_latency = as_latency(c.call_latency);
  s.num_recoveries = c.num_recoveries;
  return s;
}

/// What counts up; the rest of the statistics says how things are.
constexpr std::uint32_t floe::statistics::*counted[] = {&floe::statistics::client_packets_sent,
                                                        &floe::statistics::client_packets_recv,
                                                        &floe::statistics::node_packets_sent,
                                                        &floe::statistics::node_packets_recv,
                                                        &floe::statistics::keepalive_packets_sent,
                                                        &floe::statistics::keepalive_packets_recv,
                                                        &floe::statistics::node_req_call,
                                                        &floe::statistics::node_reply_call,
                                                        &floe::statistics::node_req_dmaster,
                                                        &floe::statistics::node_reply_dmaster,
                                                        &floe::statistics::node_reply_error,
                                                        &floe::statistics::node_req_message,
                                                        &floe::statistics::node_req_control,
                                                        &floe::statistics::node_reply_control,
                                                        &floe::statistics::node_req_tunnel,
                                                        &floe::statistics::client_req_call,
                                                        &floe::statistics::client_req_message,
                                                        &floe::statistics::client_req_control,
                                                        &floe::statistics::client_req_tunnel,
                                                        &floe::statistics::timeouts_call,
                                                        &floe::statistics::timeouts_control,
                                                        &floe::statistics::timeouts_traverse,
                                                        &floe::statistics::locks_num_calls,
                                                        &floe::statistics::locks_num_failed,
                                                        &floe::statistics::total_calls,
                                                        &floe::statistics::childwrite_calls,
                                                        &floe::statistics::num_recoveries,
                                                        &floe::statistics::total_ro_delegations,
                                                        &floe::statistics::total_ro_revokes};

void subtract(latency& from, const latency& what) {
  from.num -= what.num;
  from.total -= what.total;
}

void subtract(counter_buckets& from, const counter_buckets& what) {
  for (std::size_t i = 0; i < from.size(); ++i) from[i] -= what[i];
}

/// What was added between two looks at the same counters.
floe::statistics difference(floe::statistics later, const floe::statistics& earlier) {
  for (const auto counter : counted) later.*counter -= earlier.*counter;
  subtract(later.locks_latency, earlier.locks_latency);
  subtract(later.call_latency, earlier.call_latency);
  subtract(later.childwrite_latency, earlier.childwrite_latency);
  subtract(later.reclock_ctdbd, earlier.reclock_ctdbd);
  subtract(later.reclock_recd, earlier.reclock_recd);
  subtract(later.locks_buckets, earlier.locks_buckets);
  subtract(later.hop_count_bucket, earlier.hop_count_bucket);
  later.statistics_start_time = earlier.statistics_start_time;
  return later;
}

void set_extremes(latency& of, const latency_counter& in) {
  of.min = in.lately_min;
  of.max = in.lately_max;
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
  s.reclock_recd = as_latency(locks_.took().taking);
  s.reclock_ctdbd = as_latency(locks_.took().testing);
  // in a simulation what the process holds says nothing of one node, and is never twice the same
  if (!port_.env.loop.is_simulated())
    s.memory_used = u32(std::min<std::uint64_t>(resident_bytes(), UINT32_MAX));
  s.recovering = port_.view().mode == recovery_mode::active;
  const auto& all = databases_.all();
  s.frozen = !all.empty() && std::ranges::all_of(all, [](const auto& d) {
    return d.second.state != freeze_state::thawed;
  });
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
  const auto interval =
      std::chrono::seconds(std::max(1U, port_.tunables[tunable::stat_history_interval]));
  if (port_.env.loop.now() < interval_end_) return;
  const bool first = interval_end_ == time_point{};
  interval_end_ = port_.env.loop.now() + interval;
  auto& count = port_.env.count;
  const auto all = now();
  if (first) return begin_interval(all);
  auto added = difference(all, interval_begin_);
  set_extremes(added.locks_latency, count.lock_latency);
  set_extremes(added.call_latency, count.call_latency);
  set_extremes(added.childwrite_latency, count.childwrite_latency);
  set_extremes(added.reclock_recd, locks_.took().taking);
  set_extremes(added.reclock_ctdbd, locks_.took().testing);
  history_.push_front(added);
  if (history_.size() > history_length) history_.pop_back();
  begin_interval(all);
}

void statistics_keeper::begin_interval(const floe::statistics& from) {
  interval_begin_ = from;
  interval_begin_.statistics_start_time = from.statistics_current_time;
  port_.env.count.lock_latency.begin_interval();
  port_.env.count.call_latency.begin_interval();
  port_.env.count.childwrite_latency.begin_interval();
  locks_.took().taking.begin_interval();
  locks_.took().testing.begin_interval();
}

outcome_of<control::statistics_reset> statistics_keeper::reset() {
  auto& count = port_.env.count;
  count = counters{.num_clients = count.num_clients,
                   .locks_held = count.locks_held,
                   .pending_calls = count.pending_calls,
                   .childwrites_pending = count.childwrites_pending};
  databases_.tell_all(db_reset_counters{});
  port_.limits = {};
  locks_.took() = {};
  since_us_ = port_.env.loop.wall_us();
  begin_interval(now());
  return {};
}

outcome_of<control::get_stat_history> statistics_keeper::history() const {
  reply_of<control::get_stat_history> list;
  list.stats.assign(history_.begin(), history_.end());
  list.stats.resize(history_length);
  return list;
}

}  // namespace floe
