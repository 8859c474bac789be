#include "cli/statistics_rows.hpp"

#include <fmt/format.h>

#include <array>
#include <string>
#include <variant>

#include "cli/machine_rows.hpp"
#include "cli/output.hpp"

namespace floe::cli {
namespace {

using counter = std::uint32_t statistics::*;
using spread = latency statistics::*;

/// A latency is four fields: how often, and the least, the mean and the longest in seconds.
struct counted {
  const char* title;
  std::variant<counter, spread> of;
};

/// Behind the version and the two times.
constexpr std::array counts = std::to_array<counted>({
    {"num_clients", &statistics::num_clients},
    {"frozen", &statistics::frozen},
    {"recovering", &statistics::recovering},
    {"num_recoveries", &statistics::num_recoveries},
    {"client_packets_sent", &statistics::client_packets_sent},
    {"client_packets_recv", &statistics::client_packets_recv},
    {"node_packets_sent", &statistics::node_packets_sent},
    {"node_packets_recv", &statistics::node_packets_recv},
    {"keepalive_packets_sent", &statistics::keepalive_packets_sent},
    {"keepalive_packets_recv", &statistics::keepalive_packets_recv},
    {"node.req_call", &statistics::node_req_call},
    {"node.reply_call", &statistics::node_reply_call},
    {"node.req_dmaster", &statistics::node_req_dmaster},
    {"node.reply_dmaster", &statistics::node_reply_dmaster},
    {"node.reply_error", &statistics::node_reply_error},
    {"node.req_message", &statistics::node_req_message},
    {"node.req_control", &statistics::node_req_control},
    {"node.reply_control", &statistics::node_reply_control},
    {"node.req_tunnel", &statistics::node_req_tunnel},
    {"client.req_call", &statistics::client_req_call},
    {"client.req_message", &statistics::client_req_message},
    {"client.req_control", &statistics::client_req_control},
    {"client.req_tunnel", &statistics::client_req_tunnel},
    {"timeouts.call", &statistics::timeouts_call},
    {"timeouts.control", &statistics::timeouts_control},
    {"timeouts.traverse", &statistics::timeouts_traverse},
    {"locks.num_calls", &statistics::locks_num_calls},
    {"locks.num_current", &statistics::locks_num_current},
    {"locks.num_pending", &statistics::locks_num_pending},
    {"locks.num_failed", &statistics::locks_num_failed},
    {"total_calls", &statistics::total_calls},
    {"pending_calls", &statistics::pending_calls},
    {"childwrite_calls", &statistics::childwrite_calls},
    {"pending_childwrite_calls", &statistics::pending_childwrite_calls},
    {"memory_used", &statistics::memory_used},
    {"max_hop_count", &statistics::max_hop_count},
    {"total_ro_delegations", &statistics::total_ro_delegations},
    {"total_ro_revokes", &statistics::total_ro_revokes},
    {"reclock_ctdbd_latency", &statistics::reclock_ctdbd},
    {"reclock_recd_latency", &statistics::reclock_recd},
    {"call_latency", &statistics::call_latency},
    {"lockwait_latency", &statistics::locks_latency},
    {"childwrite_latency", &statistics::childwrite_latency},
});

constexpr int statistics_version = 1;

}  // namespace

void print_statistics_titles() {
  const char to = row_separator();
  std::string line;
  const auto add = [&](const std::string& title) { line.append(title).push_back(to); };
  for (const char* first :
       {"CTDB version", "Current time of statistics", "Statistics collected since"})
    add(first);
  for (const auto& c : counts) {
    if (std::holds_alternative<counter>(c.of)) {
      add(c.title);
      continue;
    }
    for (const char* part : {"num_", "min_", "avg_", "max_"}) add(std::string(part) + c.title);
  }
  print(line + "\n");
}

void print_statistics_row(const statistics& s) {
  const char to = row_separator();
  std::string line =
      fmt::format("{}{}{}{}{}{}", statistics_version, to, s.statistics_current_time.sec, to,
                  s.statistics_start_time.sec, to);
  for (const auto& c : counts) {
    if (const auto* number = std::get_if<counter>(&c.of)) {
      line += fmt::format("{}{}", s.*(*number), to);
      continue;
    }
    const auto& l = s.*std::get<spread>(c.of);
    const double mean = l.num > 0 ? l.total / l.num : 0;
    line += fmt::format("{}{}{:.6f}{}{:.6f}{}{:.6f}{}", l.num, to, l.min, to, mean, to, l.max, to);
  }
  print(line + "\n");
}

}  // namespace floe::cli
