#pragma once
/// One function for each command; each is in the file of its name (stop, continue, ban, unban,
/// disable and enable in node_state.cpp, getdebug and setdebug in debug_level.cpp, transactions in
/// ptrans.cpp, setdbreadonly and
/// setdbsticky in database_properties.cpp, backupdb, restoredb and dumpdbbackup in backup.cpp, wipedb and detach in wipedb.cpp).
#include "cli/command.hpp"

namespace floe::cli {

command attach_command();
std::vector<command> backup_commands();
command bridge_command();
command capture_command();
command catdb_command();
command cattdb_command();
command client_command();
command cluster_command();
std::vector<command> db_statistics_commands();
command decode_command();
command deletekey_command();
command doctor_command();
command drill_command();
command explain_command();
command getcapabilities_command();
command health_command();
command metrics_command();
command getdbmap_command();
command getdbseqnum_command();
command getdbstatus_command();
command getdebug_command();
command getpid_command();
command getreclock_command();
command getvar_command();
command leader_command();
command listnodes_command();
command listvars_command();
command lock_command();
command locks_command();
command node_command();
command check_config_command();
std::vector<command> node_state_commands();
command nodestatus_command();
command ping_command();
command pnn_command();
command process_exists_command();
std::vector<command> property_commands();
command quickstart_command();
command readkey_command();
command recover_command();
command recovery_command();
command reloadnodes_command();
std::vector<command> role_commands();
command runstate_command();
command setdebug_command();
command setvar_command();
command shutdown_command();
command statistics_command();
std::vector<command> stats_commands();
command status_command();
command tfetch_command();
command timeline_command();
std::vector<command> transaction_commands();
command uptime_command();
std::vector<command> wipe_commands();
command writekey_command();

}  // namespace floe::cli
