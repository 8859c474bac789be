#include "protocol/types/statistics.hpp"

#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<statistics>) {
  return wire::record(
      "statistics", wire::field("num_clients", &statistics::num_clients),
      wire::field("frozen", &statistics::frozen),
      wire::field("recovering", &statistics::recovering),
      wire::field("client_packets_sent", &statistics::client_packets_sent),
      wire::field("client_packets_recv", &statistics::client_packets_recv),
      wire::field("node_packets_sent", &statistics::node_packets_sent),
      wire::field("node_packets_recv", &statistics::node_packets_recv),
      wire::field("keepalive_packets_sent", &statistics::keepalive_packets_sent),
      wire::field("keepalive_packets_recv", &statistics::keepalive_packets_recv),
      wire::field("node_req_call", &statistics::node_req_call),
      wire::field("node_reply_call", &statistics::node_reply_call),
      wire::field("node_req_dmaster", &statistics::node_req_dmaster),
      wire::field("node_reply_dmaster", &statistics::node_reply_dmaster),
      wire::field("node_reply_error", &statistics::node_reply_error),
      wire::field("node_req_message", &statistics::node_req_message),
      wire::field("node_req_control", &statistics::node_req_control),
      wire::field("node_reply_control", &statistics::node_reply_control),
      wire::field("node_req_tunnel", &statistics::node_req_tunnel),
      wire::field("client_req_call", &statistics::client_req_call),
      wire::field("client_req_message", &statistics::client_req_message),
      wire::field("client_req_control", &statistics::client_req_control),
      wire::field("client_req_tunnel", &statistics::client_req_tunnel),
      wire::field("timeouts_call", &statistics::timeouts_call),
      wire::field("timeouts_control", &statistics::timeouts_control),
      wire::field("timeouts_traverse", &statistics::timeouts_traverse), wire::junk<4>(),
      wire::field("reclock_ctdbd", &statistics::reclock_ctdbd),
      wire::field("reclock_recd", &statistics::reclock_recd),
      wire::field("locks_num_calls", &statistics::locks_num_calls),
      wire::field("locks_num_current", &statistics::locks_num_current),
      wire::field("locks_num_pending", &statistics::locks_num_pending),
      wire::field("locks_num_failed", &statistics::locks_num_failed),
      wire::field("locks_latency", &statistics::locks_latency),
      wire::field("locks_buckets", &statistics::locks_buckets),
      wire::field("total_calls", &statistics::total_calls),
      wire::field("pending_calls", &statistics::pending_calls),
      wire::field("childwrite_calls", &statistics::childwrite_calls),
      wire::field("pending_childwrite_calls", &statistics::pending_childwrite_calls),
      wire::field("memory_used", &statistics::memory_used),
      wire::field("last_counter", &statistics::last_counter),
      wire::field("max_hop_count", &statistics::max_hop_count),
      wire::field("hop_count_bucket", &statistics::hop_count_bucket), wire::junk<4>(),
      wire::field("call_latency", &statistics::call_latency),
      wire::field("childwrite_latency", &statistics::childwrite_latency),
      wire::field("num_recoveries", &statistics::num_recoveries), wire::junk<4>(),
      wire::field("statistics_start_time", &statistics::statistics_start_time),
      wire::field("statistics_current_time", &statistics::statistics_current_time),
      wire::field("total_ro_delegations", &statistics::total_ro_delegations),
      wire::field("total_ro_revokes", &statistics::total_ro_revokes));
}

constexpr auto layout(wire::of<statistics_list>) {
  return wire::record("statistics_list",
                      wire::counted_after_gap<4>("num", "stats", &statistics_list::stats));
}

template struct wire::codec<statistics>;
template struct wire::codec<statistics_list>;

}  // namespace floe
