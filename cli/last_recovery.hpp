#pragma once
/// How the databases were recovered last: the leader of that recovery keeps it, in the field `last_recovery` of its report
/// (actors/node/report/node_report.hpp).
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/context.hpp"
#include "cli/troubles.hpp"

namespace floe::cli {

/// {generation, why, started_us, ms, led_by, databases: [{name, way, why, base, looked_at, records, bytes_in, bytes_out,
/// kept, lost, ms}]}; null where nobody knows. `report`: of the node `at`, if it is there already.
nlohmann::json last_recovery(blocking_client&, pnn at, const std::string& report);
/// The same from reports that are there already.
nlohmann::json last_recovery(const node_reports&, pnn leader);

/// Of one of its databases (recovered_text.hpp).
std::string recovered_text(const nlohmann::json& database);
/// All databases for people, a line each, below a heading; nothing for null.
void print_last_recovery(const nlohmann::json&);

}  // namespace floe::cli
