#pragma once
/// Is this node well, as its own state has it? Pure: a snapshot goes in, one answer for each thing that has to hold comes
/// out. Behind `/readyz`, `floe health` and the metrics `floe_ready` and `floe_check`, so that they never disagree.
///
/// A node that is not ready lives all the same: it recovers, waits for others, or was taken out by an operator.
#include <string>
#include <vector>

#include "actors/node/report/node_report.hpp"

namespace floe {

struct health_check {
  std::string name;  ///< "leader"
  bool good = false;
  std::string why;  ///< what is so now, good or not
};

/// Always the same names in the same order; `databases` are those of the node.
std::vector<health_check> health_of(const status_snapshot&,
                                    const std::vector<database_report>& databases);
bool all_good(const std::vector<health_check>&);
/// Why clients of this node cannot work with a database now; empty: they can.
std::string trouble_of(const database_report&);

}  // namespace floe
