#pragma once
/// Which program each node runs, by the nodes' own reports.
#include <map>
#include <string>

#include "cli/troubles.hpp"

namespace floe::cli {

/// "floe 0.2.0"; of every node that has given a report.
std::map<pnn, std::string> versions_in(const node_reports&);
/// "all run floe 0.2.0", or "node 0, 2: floe 0.2.0; node 1: floe 0.1.0"; of so many nodes; empty: nobody has
/// said so.
std::string versions_text(const std::map<pnn, std::string>&, std::size_t nodes);

}  // namespace floe::cli
