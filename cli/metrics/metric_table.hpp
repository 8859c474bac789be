#pragma once
/// The rows of metrics.def for people and for tests: what there is, not its values.
#include <span>
#include <string_view>

namespace floe::cli {

struct metric_info {
  std::string_view name;   ///< "floe_db_records"
  std::string_view kind;   ///< gauge, counter or histogram
  std::string_view label;  ///< empty: it has none
  std::string_view meaning;
};
/// In the order of the file.
std::span<const metric_info> all_metrics();

}  // namespace floe::cli
