#include "cli/metrics/exposition.hpp"

#include <fmt/format.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "protocol/constants.hpp"

namespace floe::cli {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using labelled = std::vector<std::pair<std::string, double>>;

double seconds_of_ms(std::int64_t ms) { return static_cast<double>(ms) / 1e3; }
double seconds_of_us(std::int64_t us) { return static_cast<double>(us) / 1e6; }
double since_start(const node_figures& n) {
  return seconds_of_us(n.state.now_us - n.state.started_us);
}

labelled numbers(const event_tally::numbers& all) { return {all.begin(), all.end()}; }

labelled checks(const node_figures& n) {
  labelled all;
  for (const auto& c : n.health) all.emplace_back(c.name, c.good);
  return all;
}

labelled connected_nodes(const node_figures& n) {
  labelled all;
  const auto& nodes = n.state.view->nodes;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (!(nodes[i].flags & node_flag::deleted))
      all.emplace_back(std::to_string(i), !(nodes[i].flags & node_flag::disconnected));
  return all;
}

labelled own_flags(const node_figures& n) {
  const auto flags = n.state.view->own_flags();
  const auto has = [flags](std::uint32_t bit) { return (flags & bit) != 0; };
  return {{"unhealthy", has(node_flag::unhealthy)},
          {"disabled", has(node_flag::permanently_disabled)},
          {"banned", has(node_flag::banned)},
          {"stopped", has(node_flag::stopped)}};
}

labelled lock_states(const node_figures& n) {
  labelled all;
  for (const auto state : lock_standings)
    all.emplace_back(name(state), !n.state.lock.setting.empty() && n.state.lock.state == state);
  return all;
}

double number_of(std::uint64_t x) { return static_cast<double>(x); }

labelled packets_received(const node_figures& n) {
  return {{"clients", number_of(n.count.client_packets_recv)},
          {"nodes", number_of(n.count.node_packets_recv)},
          {"keepalives", number_of(n.count.keepalive_packets_recv)}};
}
labelled packets_sent(const node_figures& n) {
  return {{"clients", number_of(n.count.client_packets_sent)},
          {"nodes", number_of(n.count.node_packets_sent)},
          {"keepalives", number_of(n.count.keepalive_packets_sent)}};
}

/// In the order of the packet's variant, which the counters have, too.
labelled operations(const std::array<std::uint64_t, 11>& counted) {
  static constexpr std::array names{"req_call",      "reply_call",  "req_dmaster", "reply_dmaster",
                                    "reply_error",   "req_message", "req_control", "reply_control",
                                    "req_keepalive", "req_tunnel",  "other"};
  labelled all;
  for (std::size_t i = 0; i < names.size(); ++i)
    all.emplace_back(names[i], static_cast<double>(counted[i]));
  return all;
}
labelled node_operations(const node_figures& n) { return operations(n.count.node_ops); }
labelled client_operations(const node_figures& n) { return operations(n.count.client_ops); }

labelled refused(const node_figures& n) {
  const auto& r = n.state.limits.refused;
  return {{"connections", number_of(r.connections)},
          {"requests", number_of(r.requests)},
          {"databases", number_of(r.databases)},
          {"traverses", number_of(r.traverses)},
          {"registrations", number_of(r.registrations)}};
}
labelled given_up(const node_figures& n) {
  const auto& d = n.state.limits.dropped;
  return {{"unknown_operations", number_of(d.unknown_operations)},
          {"messages", number_of(d.messages)},
          {"too_large", number_of(d.too_large)},
          {"relinks", number_of(d.relinks)}};
}

labelled databases_recovered(const node_figures& n) {
  const auto& r = n.state.recovered;
  return {{"unchanged", static_cast<double>(r.unchanged)},
          {"difference", static_cast<double>(r.by_difference)},
          {"whole", static_cast<double>(r.whole)}};
}

labelled returned_records(const node_figures& n) {
  return {{"kept", static_cast<double>(n.state.recovered.kept)},
          {"lost", static_cast<double>(n.state.recovered.lost)}};
}

labelled timeouts(const node_figures& n) {
  return {{"call", static_cast<double>(n.count.call_timeouts)},
          {"control", static_cast<double>(n.count.control_timeouts)},
          {"traverse", static_cast<double>(n.count.traverse_timeouts)}};
}

/// Bucket i holds counts of i bits: 0, 1, 2-3, 4-7 ...
labelled by_hops(const node_figures& n) {
  labelled all;
  for (std::size_t i = 0; i < n.count.hop_buckets.size(); ++i) {
    const auto low = i == 0 ? 0U : 1U << (i - 1), high = i == 0 ? 0U : (1U << i) - 1;
    all.emplace_back(low == high ? std::to_string(low) : fmt::format("{}-{}", low, high),
                     static_cast<double>(n.count.hop_buckets[i]));
  }
  return all;
}

/// The bounds of counters::count_lock.
ClientMetric::Histogram lock_waits(const node_figures& n) {
  static constexpr std::array bounds{0.001,
                                     0.01,
                                     0.1,
                                     1.0,
                                     2.0,
                                     4.0,
                                     8.0,
                                     16.0,
                                     32.0,
                                     64.0,
                                     std::numeric_limits<double>::infinity()};
  ClientMetric::Histogram h;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    h.sample_count += n.count.lock_buckets[i];
    h.bucket.push_back({.cumulative_count = h.sample_count, .upper_bound = bounds[i]});
  }
  h.sample_sum = n.count.lock_latency.total;
  return h;
}

/// Clients choose the names of databases: what is not UTF-8 is replaced, or the reader would refuse the whole page.
std::string as_utf8(const std::string& text) {
  using nlohmann::json;
  return json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace))
      .get<std::string>();
}

/// Puts families together, each sample into the newest.
class family_writer {
 public:
  void family(const char* name, const char* meaning, prometheus::MetricType type) {
    all_.push_back(
        {.name = std::string("floe_") + name, .help = meaning, .type = type, .metric = {}});
  }
  void sample(double value, const char* label = nullptr, const std::string& is = {}) {
    ClientMetric m;
    if (label) m.label.push_back({label, as_utf8(is)});
    if (all_.back().type == prometheus::MetricType::Counter)
      m.counter.value = value;
    else
      m.gauge.value = value;
    all_.back().metric.push_back(std::move(m));
  }
  void histogram(ClientMetric::Histogram h) {
    ClientMetric m;
    m.histogram = std::move(h);
    all_.back().metric.push_back(std::move(m));
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(all_); }

 private:
  std::vector<MetricFamily> all_;
};

constexpr auto gauge = prometheus::MetricType::Gauge, counter = prometheus::MetricType::Counter;

}  // namespace

std::string metrics_text(const node_figures& n) {
  family_writer out;
#define FLOE_METRIC(metric, kind, meaning, value) \
  out.family(#metric, meaning, kind);             \
  out.sample(static_cast<double>(value));
#define FLOE_DATABASE_METRIC(metric, kind, meaning, value) \
  out.family(#metric, meaning, kind);                      \
  for (const auto& d : n.databases) out.sample(static_cast<double>(value), "db", d.name);
#define FLOE_LABELLED_METRIC(metric, kind, label, meaning, list) \
  out.family(#metric, meaning, kind);                            \
  for (const auto& [is, value] : list) out.sample(value, #label, is);
#define FLOE_HISTOGRAM(metric, meaning, buckets)                   \
  out.family(#metric, meaning, prometheus::MetricType::Histogram); \
  out.histogram(buckets);
#include "cli/metrics/metrics.def"
#undef FLOE_METRIC
#undef FLOE_DATABASE_METRIC
#undef FLOE_LABELLED_METRIC
#undef FLOE_HISTOGRAM
  return out.text();
}

std::string health_text(const std::vector<health_check>& checks, bool verbose) {
  std::string out;
  for (const auto& c : checks)
    if (verbose || !c.good) out += fmt::format("[{}] {}: {}\n", c.good ? "+" : "-", c.name, c.why);
  return out + (all_good(checks) ? "ready\n" : "not ready\n");
}

}  // namespace floe::cli
