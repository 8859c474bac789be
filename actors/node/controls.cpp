/// The table of controls of a node: every control that it carries out, and which function does it.
#include "actors/node/services.hpp"
#include "protocol/types/all.hpp"

namespace floe {
namespace {

using c = control;

void add_membership(control_table& t, node_services& s) {
  auto& m = s.membership;
  t.add(handle<c::getvnnmap>(m, &membership::get_vnnmap));
  t.add(handle<c::setvnnmap>(m, &membership::set_vnnmap));
  t.add(handle<c::get_recmode>(m, &membership::get_recmode));
  t.add(handle<c::set_recmode>(m, &membership::set_recmode));
  t.add(handle<c::freeze>(m, &membership::freeze_all));
  t.add(handle<c::start_recovery>(m, &membership::start_recovery));
  t.add(handle<c::end_recovery>(s.departing, &departing::end_recovery));
  t.add(handle<c::modify_flags>(m, &membership::modify_flags));
  t.add(handle<c::get_capabilities>(m, &membership::get_capabilities));
  t.add(handle<c::get_incarnation>(m, &membership::get_incarnation));
  t.add(handle<c::goodbye>(s.goodbyes, &goodbyes::hear));
  t.add(handle<c::set_lmasterrole>(m, &membership::set_lmasterrole));
  t.add(handle<c::set_recmasterrole>(m, &membership::set_recmasterrole));
  t.add(handle<c::stop_node>(s.departing, &departing::stop_node));
  t.add(handle<c::continue_node>(s.departing, &departing::continue_node));
  t.add(handle<c::disable_node>(m, &membership::disable_node));
  t.add(handle<c::enable_node>(m, &membership::enable_node));
  t.add(handle<c::uptime>(m, &membership::get_uptime));
  t.add(handle<c::get_runstate>(m, &membership::get_runstate));
  t.add(handle<c::get_reclock_file>(s.locks, &lock_tests::get_reclock_file));
  t.add(handle<c::set_ban_state>(s.bans, &bans::set_ban_state));
  t.add(handle<c::get_ban_state>(s.bans, &bans::get_ban_state));
  t.add(handle<c::ban_reason>(s.bans, &bans::ban_reason));
  t.add(handle<c::get_nodemap>(s.nodes, &nodes_list::get_nodemap));
  t.add(handle<c::get_nodes_file>(s.nodes, &nodes_list::get_nodes_file));
  t.add(handle<c::reload_nodes_file>(s.nodes, &nodes_list::reload_nodes_file));
}

void add_databases(control_table& t, node_services& s) {
  auto& d = s.databases;
  t.add(handle<c::db_attach>(s.attach, &attaching::attach<c::db_attach>));
  t.add(handle<c::db_attach_persistent>(s.attach, &attaching::attach<c::db_attach_persistent>));
  t.add(handle<c::db_attach_replicated>(s.attach, &attaching::attach<c::db_attach_replicated>));
  t.add(handle<c::db_detach>(s.detach, &detaching::db_detach));
  t.add(handle<c::get_dbmap>(d, &registry::get_dbmap));
  t.add(handle<c::get_db_lineages>(d, &registry::get_db_lineages));
  t.add(handle<c::get_db_contents>(s.joiner, &joiner::get_db_contents));
  t.add(handle<c::join>(s.joiner, &joiner::join));
  t.add(handle<c::get_dbname>(d, &registry::get_dbname));
  t.add(handle<c::getdbpath>(d, &registry::get_dbpath));
  t.add(handle<c::db_get_health>(d, &registry::get_health));
  t.add(handle<c::db_open_flags>(d, &registry::open_flags));
  t.add(handle<c::set_db_readonly>(d, &registry::set_readonly));
  t.add(handle<c::set_db_sticky>(d, &registry::set_sticky));
  t.add(handle<c::push_record>(d, &registry::push_record));
  t.add(handle<c::db_dispute>(d, &registry::dispute));
  t.add(handle<c::traverse_start>(s.traversal, &traverses::traverse_start));
  t.add(handle<c::traverse_start_ext>(s.traversal, &traverses::traverse_start_ext));
  t.add(handle<c::traverse_all>(s.traversal, &traverses::traverse_all));
  t.add(handle<c::traverse_all_ext>(s.traversal, &traverses::traverse_all_ext));
  t.add(handle<c::traverse_data>(s.traversal, &traverses::traverse_data));
  t.add(handle<c::traverse_kill>(s.traversal, &traverses::traverse_kill));
}

/// Carried out by the database that the request names.
void add_those_of_databases(control_table& t, registry& d) {
  t.add(to_database<c::get_db_statistics>(d));
  t.add(to_database<c::db_freeze>(d));
  t.add(to_database<c::db_thaw>(d));
  t.add(to_database<c::db_transaction_start>(d));
  t.add(to_database<c::db_recovery_begin>(d));
  t.add(to_database<c::db_changes>(d));
  t.add(to_database<c::db_copies>(d));
  t.add(to_database<c::db_digest>(d));
  t.add(to_database<c::db_fill>(d));
  t.add(to_database<c::db_step>(d));
  t.add(to_database<c::db_transaction_commit>(d));
  t.add(to_database<c::db_transaction_cancel>(d));
  t.add(to_database<c::wipe_database>(d));
  t.add(to_database<c::db_pull>(d));
  t.add(to_database<c::db_push_start>(d));
  t.add(to_database<c::db_push_confirm>(d));
  t.add(to_database<c::get_db_seqnum>(d));
  t.add(to_database<c::db_set_healthy>(d));
  t.add(to_database<c::db_damaged>(d));
  t.add(to_database<c::try_delete_records>(d));
  t.add(to_database<c::trans3_commit>(d));
  t.add(to_database<c::update_record>(d));
  t.add(to_database<c::record_lock>(d));
  t.add(to_database<c::record_read>(d));
  t.add(to_database<c::record_store>(d));
  t.add(to_database<c::record_delete>(d));
  t.add(to_database<c::schedule_for_deletion>(d));
  t.add(to_database<c::vacuum_fetch>(d));
  t.add(to_database<c::db_vacuum>(d));
  t.add(to_database<c::enable_seqnum>(d));
  t.add(to_database<c::update_seqnum>(d));
  t.add(to_database<c::record_unlock>(d));
  t.add(to_database<c::record_scan>(d));
  t.add(to_database<c::record_table>(d));
}

void add_messages(control_table& t, node_services& s) {
  t.add(handle<c::register_srvid>(s.messaging, &messaging::register_srvid));
  t.add(handle<c::deregister_srvid>(s.messaging, &messaging::deregister_srvid));
  t.add(handle<c::register_notify>(s.messaging, &messaging::register_notify));
  t.add(handle<c::deregister_notify>(s.messaging, &messaging::deregister_notify));
  t.add(handle<c::check_pid_srvid>(s.messaging, &messaging::check_pid_srvid));
  t.add(handle<c::tunnel_register>(s.tunnels, &tunnels::tunnel_register));
  t.add(handle<c::tunnel_deregister>(s.tunnels, &tunnels::tunnel_deregister));
  t.add(handle<c::process_exists>(s.clients, &clients::process_exists));
  t.add(handle<c::ping>(s.clients, &clients::ping));
  t.add(handle<c::accompany>(s.clients, &clients::accompany));
}

void add_reports(control_table& t, node_services& s) {
  auto& r = s.reports;
  t.add(handle<c::statistics>(s.statistics, &statistics_keeper::statistics));
  t.add(handle<c::statistics_reset>(s.statistics, &statistics_keeper::reset));
  t.add(handle<c::get_stat_history>(s.statistics, &statistics_keeper::history));
  t.add(handle<c::list_tunables>(s.tunables, &tunable_controls::list));
  t.add(handle<c::get_tunable>(s.tunables, &tunable_controls::get));
  t.add(handle<c::set_tunable>(s.tunables, &tunable_controls::set));
  t.add(handle<c::get_all_tunables>(s.tunables, &tunable_controls::get_all));
  t.add(handle<c::get_pnn>(r, &reports::get_pnn));
  t.add(handle<c::get_pid>(r, &reports::get_pid));
  t.add(handle<c::get_debug>(r, &reports::get_debug));
  t.add(handle<c::set_debug>(r, &reports::set_debug));
  t.add(handle<c::dump_memory>(r, &reports::dump_memory));
  t.add(handle<c::echo_data>(r, &reports::echo));
  t.add(handle<c::shutdown>(r, &reports::shutdown));
  t.add(handle<c::startup>(r, &reports::accept_quietly));
  t.add(handle<c::recd_reclock_latency>(r, &reports::accept_quietly));
  t.add(handle<c::recd_ping>(r, &reports::accept_quietly));
  t.add(handle<c::ipreallocated>(r, &reports::accept_quietly));
  t.add(handle<c::get_locks>(r, &reports::get_locks));
  t.add(handle<c::get_timeline>(r, &reports::get_timeline));
  t.add(handle<c::get_node_status>(r, &reports::get_node_status));
  t.add(handle<c::set_hold_phase>(r, &reports::set_hold_phase));
}

void add_addresses(control_table& t, addresses& a) {
  t.add(handle<c::tcp_client>(a, &addresses::tcp_client));
  t.add(handle<c::tcp_client_disconnected>(a, &addresses::tcp_client_disconnected));
  t.add(handle<c::tcp_client_passed>(a, &addresses::tcp_client_passed));
  t.add(handle<c::tcp_add>(a, &addresses::accept));
  t.add(handle<c::tcp_add_delayed_update>(a, &addresses::accept));
  t.add(handle<c::tcp_remove>(a, &addresses::accept));
  t.add(handle<c::get_tcp_tickle_list>(a, &addresses::get_tickle_list));
  t.add(handle<c::set_tcp_tickle_list>(a, &addresses::set_tickle_list));
  t.add(handle<c::send_gratuitous_arp>(a, &addresses::accept));
  t.add(handle<c::add_public_ip>(a, &addresses::accept));
  t.add(handle<c::del_public_ip>(a, &addresses::accept));
  t.add(handle<c::release_ip>(a, &addresses::accept));
  t.add(handle<c::takeover_ip>(a, &addresses::takeover_ip));
  t.add(handle<c::reload_public_ips>(a, &addresses::accept));
  t.add(handle<c::start_ipreallocate>(a, &addresses::accept));
  t.add(handle<c::get_public_ip_info>(a, &addresses::get_public_ip_info));
  t.add(handle<c::set_iface_link_state>(a, &addresses::set_iface_link_state));
  t.add(handle<c::get_ifaces>(a, &addresses::get_ifaces));
  t.add(handle<c::get_public_ips>(a, &addresses::get_public_ips));
}

}  // namespace

void add_controls(node_services& s) {
  add_membership(s.controls, s);
  add_databases(s.controls, s);
  add_those_of_databases(s.controls, s.databases);
  add_messages(s.controls, s);
  add_addresses(s.controls, s.addresses);
  add_reports(s.controls, s);
}

}  // namespace floe
