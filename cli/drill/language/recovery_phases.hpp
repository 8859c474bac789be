#pragma once
/// The phases of a recovery that a drill can hold, by their names in protocol/rules.
#include <string_view>
#include <vector>

namespace floe::cli::drill {

/// Of the cluster's recovery, in order: "survey" to "end_recovery".
const std::vector<std::string_view>& cluster_phases();
/// Of the recovery of one database, in order: "names" to "thaw".
const std::vector<std::string_view>& database_phases();

}  // namespace floe::cli::drill
