#pragma once
/// Everything a node knows of itself in numbers at one moment: what its metrics are made of (cli/metrics/). Answered to the
/// message ask_figures from the node's own turn; the receiver may take its time, nothing in it is shared with the node.
#include <vector>

#include "actors/counters.hpp"
#include "actors/node/report/event_tally.hpp"
#include "actors/node/report/health.hpp"
#include "actors/node/report/node_report.hpp"

namespace floe {

struct node_figures {
  status_snapshot state;
  counters count;
  std::vector<database_report> databases;
  std::vector<trouble> troubles;
  std::vector<health_check> health;
  event_tally::totals since_start;
};

}  // namespace floe
