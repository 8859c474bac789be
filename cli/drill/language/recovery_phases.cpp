#include "cli/drill/language/recovery_phases.hpp"

#include "protocol/rules/cluster_recovery.hpp"
#include "protocol/rules/db_recovery.hpp"

namespace floe::cli::drill {
namespace {

/// Those between the two; `skipped` is none that nodes are asked in.
template <class Phase>
std::vector<std::string_view> between(Phase first, Phase last, Phase skipped) {
  std::vector<std::string_view> all;
  for (auto p = static_cast<int>(first); p <= static_cast<int>(last); ++p)
    if (static_cast<Phase>(p) != skipped) all.push_back(name(static_cast<Phase>(p)));
  return all;
}

}  // namespace

const std::vector<std::string_view>& cluster_phases() {
  static const auto all =
      between(cluster_phase::survey, cluster_phase::end_recovery, cluster_phase::databases);
  return all;
}

const std::vector<std::string_view>& database_phases() {
  static const auto all = between(db_phase::names, db_phase::thaw, db_phase::held);
  return all;
}

}  // namespace floe::cli::drill
