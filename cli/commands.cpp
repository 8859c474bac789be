#include "cli/command/all.hpp"
#include "cli/command/import.hpp"
#include "cli/command/samba.hpp"

namespace floe::cli {

std::vector<command> all_commands() {
  std::vector<command> all{
      quickstart_command(), node_command(),    check_config_command(), cluster_command(),
      status_command(),     doctor_command(),  nodestatus_command(),   listnodes_command(),
      leader_command(),     recover_command(), recovery_command(),     reloadnodes_command(),
      timeline_command(),   drill_command(),
  };
  for (auto& c : node_state_commands()) all.push_back(std::move(c));
  for (const auto make : {getdbmap_command,       getdbstatus_command, attach_command,
                          catdb_command,          readkey_command,     writekey_command,
                          deletekey_command,      lock_command,        locks_command,
                          client_command,         pnn_command,         ping_command,
                          uptime_command,         runstate_command,    getcapabilities_command,
                          getpid_command,         statistics_command,  shutdown_command,
                          getvar_command,         setvar_command,      listvars_command,
                          getdebug_command,       setdebug_command,    decode_command,
                          explain_command,        capture_command,     bridge_command,
                          samba_command,          health_command,      metrics_command,
                          cattdb_command,         getdbseqnum_command, getreclock_command,
                          process_exists_command, tfetch_command})
    all.push_back(make());
  for (const auto make : {transaction_commands, wipe_commands, backup_commands, import_commands,
                          role_commands, db_statistics_commands, stats_commands, property_commands})
    for (auto& c : make()) all.push_back(std::move(c));
  return all;
}

}  // namespace floe::cli
