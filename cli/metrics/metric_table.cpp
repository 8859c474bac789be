#include "cli/metrics/metric_table.hpp"

#include <array>

namespace floe::cli {

std::span<const metric_info> all_metrics() {
  static constexpr auto rows = std::to_array<metric_info>({
#define FLOE_METRIC(name, kind, meaning, value) {"floe_" #name, #kind, "", meaning},
#define FLOE_DATABASE_METRIC(name, kind, meaning, value) {"floe_" #name, #kind, "db", meaning},
#define FLOE_LABELLED_METRIC(name, kind, label, meaning, list) \
  {"floe_" #name, #kind, #label, meaning},
#define FLOE_HISTOGRAM(name, meaning, histogram) {"floe_" #name, "histogram", "", meaning},
#include "cli/metrics/metrics.def"
#undef FLOE_METRIC
#undef FLOE_DATABASE_METRIC
#undef FLOE_LABELLED_METRIC
#undef FLOE_HISTOGRAM
  });
  return rows;
}

}  // namespace floe::cli
