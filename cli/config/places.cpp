#include "cli/config/places.hpp"

#include "cli/config/system_places.hpp"

namespace floe::cli {

node_places places_of(const std::string& base) {
  if (!base.empty())
    return {.base = base,
            .settings = base + "/ctdb.conf",
            .nodes = base + "/nodes",
            .tunables = base + "/ctdb.tunables",
            .tunables_else = base + "/tunables",
            .run_dir = base + "/run",
            .socket = base + "/run/ctdbd.socket",
            .pid_file = base + "/run/ctdbd.pid",
            .volatile_dir = base + "/db/volatile",
            .persistent_dir = base + "/db/persistent",
            .state_dir = base + "/db/state",
            .log_file = base + "/log.ctdb"};
  const std::string etc = system_config_dir, run = system_run_dir, var = system_state_dir;
  return {.base = etc,
          .settings = etc + "/ctdb.conf",
          .nodes = etc + "/nodes",
          .tunables = etc + "/ctdb.tunables",
          .tunables_else = {},
          .run_dir = run,
          .socket = run + "/ctdbd.socket",
          .pid_file = run + "/ctdbd.pid",
          .volatile_dir = var + "/volatile",
          .persistent_dir = var + "/persistent",
          .state_dir = var + "/state",
          .log_file = std::string(system_log_dir) + "/log.ctdb"};
}

}  // namespace floe::cli
