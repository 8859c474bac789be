#pragma once
/// The answer to GET_NODE_STATUS with the options {"brief": true}, for who waits for a cluster to be well and asks many
/// times a second: the same names as in the whole status, without names of clients, ages, and what is made of them.
#include <string>
#include <vector>

#include "actors/cluster_view.hpp"
#include "actors/database/database_message.hpp"

namespace floe {

/// Whether these options of a request ask for it.
bool wants_brief_status(byte_view options);
/// `recovery`: JSON of the recovery that this node leads; empty: none runs.
/// {"health": true}: for probes that ask every second.
bool wants_only_health(byte_view options);
std::string brief_status_json(const cluster_view&, const std::string& recovery,
                              const std::vector<database_report>&);

}  // namespace floe
