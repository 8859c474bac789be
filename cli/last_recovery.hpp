#pragma once
/// How the databases were recovered last: the leader of that recovery keeps it, in the field `last_recovery` of its report
/// (actors/node/report/node_report.hpp).
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/context.hpp"

namespace floe::cli {

/// {generation, why, started_us, ms, led_by, databases: [{name, way, why, base, looked_at, records, bytes_in, bytes_out,
/// kept, lost, ms}]}; null where nobody knows. `report`: of the node `at`, if it is there already.
nlohmann::json last_recovery(blocking_client&, pnn at, const std::string& report);

/// Of one of its databases (recovered_text.hpp).
std::string recovered_text(const nlohmann::json& database);
/// A table of all databases for people, with a heading; empty for null.
std::string last_recovery_text(const nlohmann::json&);

}  // namespace floe::cli
