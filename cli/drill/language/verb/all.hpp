#pragma once
/// The verbs, a file for each matter.
#include "cli/drill/language/verb.hpp"

namespace floe::cli::drill {

std::vector<verb> cluster_verbs();
std::vector<verb> data_verbs();
std::vector<verb> workload_verbs();
std::vector<verb> client_verbs();
std::vector<verb> process_verbs();
std::vector<verb> operator_verbs();
std::vector<verb> network_verbs();
std::vector<verb> disk_verbs();
std::vector<verb> recovery_verbs();
std::vector<verb> waiting_verbs();
std::vector<verb> flow_verbs();
std::vector<verb> lock_verbs();
std::vector<verb> admin_verbs();
std::vector<verb> promise_verbs();

}  // namespace floe::cli::drill
