#pragma once
/// Waits until every node of a local cluster says that all is well: run state RUNNING, recovery
/// mode NORMAL, no flags on any node, the same generation everywhere.
#include <sys/types.h>

#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "cli/cluster/layout.hpp"
#include "cli/exit_code.hpp"
#include "protocol/rules/time.hpp"

namespace floe::cli {

struct node_health {
  bool reachable = false;
  bool healthy = false;
  bool up = false;  ///< healthy, but for databases that waiting does not mend
  std::uint32_t generation = 0;
  std::string text;    ///< "starting", "FIRST_RECOVERY", "recovery mode ACTIVE", "node 2
                       ///< DISCONNECTED|UNHEALTHY", "OK"
  std::string report;  ///< of a floe node that answers
};

/// What keeps the cluster from working, by all of them: each thing once, causes first.
std::vector<std::string> causes_of(const std::vector<node_health>&);

/// The same in a line, with the nodes that say nothing.
struct complaint {
  std::string text;   ///< empty: nobody has one
  std::string about;  ///< without ages: if this differs it is another one
};
complaint complaint_of(const std::vector<node_health>&);

/// Asks every node once, at the same time.
std::vector<node_health> look_at_cluster(const local_cluster&, duration patience);

struct wait_failure {
  exit_code code;    ///< timed_out, or failed: a process has ended
  std::string text;  ///< which node is not well and how
};

/// How long it took. `pids`: the nodes' processes, children of ours or not. `progress` is called
/// now and then with what each node says.
std::expected<duration, wait_failure> wait_healthy(
    const local_cluster&, const std::vector<pid_t>& pids, duration patience,
    const std::function<bool(const std::vector<node_health>&)>& progress);

}  // namespace floe::cli
