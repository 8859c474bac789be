#pragma once
/// Can this node serve? What is wrong with it (troubles.hpp), sorted into checks that are always the same, in the same order:
/// behind `/readyz`, `floe health`, the notify scripts and the metrics `floe_ready` and `floe_check`. A trouble of another
/// node, or one that nobody suffers from yet, breaks no check. Pure.
///
/// A node that is not ready lives all the same: it recovers, waits for others, or was taken out by an operator.
#include <string>
#include <vector>

#include "actors/node/report/node_report.hpp"
#include "actors/node/report/troubles.hpp"

namespace floe {

struct health_check {
  std::string name;  ///< "leader"
  bool good = false;
  std::string why;  ///< what is so now, good or not
};

/// `databases` are those of the node, `troubles` what troubles_of has found with both.
std::vector<health_check> health_of(const status_snapshot&,
                                    const std::vector<database_report>& databases,
                                    const std::vector<trouble>& troubles);
bool all_good(const std::vector<health_check>&);

}  // namespace floe
