#pragma once
/// The root actor of a node: reads its configuration, starts everything, and dispatches: every packet from links
/// and sessions comes here and leaves for the actor that owns the matter. What belongs to the node as a whole it
/// owns itself: node map and flags, vnn map, recovery mode, run state, tunables, message registrations, the list of
/// databases, outstanding controls.
///
///   sessions ──┐                        ┌── database actors (one each)
///              ├── node: dispatch ──────┤
///   links ─────┘    │                   └── leader, recovery coordinator
///                   └── own controls, messages, traverses, timeline
///
/// Files: node.cpp (life and dispatch), controls.cpp (the table of handlers), calls.cpp (controls to other nodes),
/// membership.cpp (flags, map, mode, run state), nodes_list.cpp (the nodes file), bans.cpp, databases.cpp (attach,
/// registry), messages.cpp (srvids, tunnels), detach.cpp, cluster_lock.cpp (its tests, its place in the report),
/// traverse.cpp, queries.cpp (statistics, tunables, JSON reports).
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "actors/environment.hpp"
#include "actors/lock/cluster_lock.hpp"
#include "actors/node/node_config.hpp"
#include "actors/node/node_message.hpp"
#include "actors/recovery/leader_message.hpp"
#include "protocol/controls.hpp"
#include "protocol/rules/ban_end.hpp"
#include "protocol/types/statistics.hpp"

namespace floe {

/// A control that this node is to carry out.
struct control_request {
  control opcode{};
  byte_view data;     ///< points into the packet
  parcel_ptr packet;
  floe::srvid srvid{0};
  std::uint32_t flags = 0;
  pnn from{0};        ///< the node it came from; our own for clients
  std::optional<client_ref> client;
  replier answer;
};

class node final : public actor<node_message> {
 public:
  /// `stopped` is called when the node has taken itself down.
  node(node_environment env, node_config config, std::function<void()> stopped);
  ~node() override;
  void start() override;
  void receive(node_message&) override;

 private:
  using handler = void (node::*)(const control_request&);
  static handler handler_of(control);

  void on(peer_packet&);
  void on(client_packet&);
  void on(peer_changed&);
  void on(peer_refused&);
  void on(ban_self&);
  void on(client_opened&);
  void on(client_closed&);
  void on(call_control&);
  void on(post_message&);
  void on(listen_messages&);
  void on(unlisten_messages&);
  void on(database_opened&);
  void on(database_changed&);
  void on(note_event&);
  void on(want_recovery&);
  void on(leader_known&);
  void on(recovery_progress&);
  void on(control_deadline&);
  void on(node_tick&);
  void on(stop_node&);
  void on(database_closed&);
  void on(detach_now&);
  void on(cluster_lock_state&);
  void on(database_checked&);
  void on(database_health&);
  void on(lock_tested&);

  // node.cpp
  bool listen();
  void go_on_starting();
  void stop(const std::string& why);
  std::optional<connection_events> accept_peer(const std::shared_ptr<connection>&);
  std::optional<connection_events> accept_client(const std::shared_ptr<connection>&);
  void from_client(const client_ref&, const parcel_ptr&, const req_call&);
  void from_client(const client_ref&, const parcel_ptr&, const req_message&);
  void from_client(const client_ref&, const parcel_ptr&, const req_control&);
  void from_client(const client_ref&, const parcel_ptr&, const req_tunnel&);
  void from_peer(pnn, const parcel_ptr&, const req_message&);
  void from_peer(pnn, const parcel_ptr&, const req_control&);
  void from_peer(pnn, const parcel_ptr&, const reply_control&);
  void from_peer(pnn, const parcel_ptr&, const reply_call&);
  void from_peer(pnn, const parcel_ptr&, const reply_error&);
  void from_peer(pnn, const parcel_ptr&, const req_tunnel&);
  template <class Body>
  void record_packet(pnn, const parcel_ptr&, const Body&);
  void send(pnn to, reqid, const packet_body&, task written = nullptr);
  replier reply_to_client(const client_ref&, reqid);
  replier reply_to_peer(pnn, reqid);

  // calls.cpp
  void carry_out(control_request);
  void call(pnn to, control, bytes data, floe::srvid, std::uint32_t client_id, std::uint32_t flags,
            duration patience, replier);
  void broadcast_control(pnn to, const req_control&);
  void fail_calls_to(pnn, const std::string& why);

  // membership.cpp
  void set_view(const std::function<void(cluster_view&)>& change);
  void set_mode(recovery_mode, const std::string& why);
  void set_runstate(runstate);
  void set_own_flags(std::uint32_t set, std::uint32_t clear);
  void remember_map(generation, std::vector<pnn>);
  std::vector<pnn> members_of(generation) const;
  void peer_lost(pnn, const std::string& why);
  void get_vnnmap(const control_request&);
  void set_vnnmap(const control_request&);
  void get_recmode(const control_request&);
  void set_recmode(const control_request&);
  void leave_recovery(const control_request&);
  void modify_flags(const control_request&);
  void get_capabilities(const control_request&);
  void start_recovery(const control_request&);
  void end_recovery(const control_request&);
  void stop_continue(const control_request&);
  void enable_disable(const control_request&);
  void set_role(const control_request&);
  void freeze_all(const control_request&);
  void give_memory_back();
  void accept_quietly(const control_request&);

  // health.cpp
  struct database_entry;
  void open_database(db_id, std::string damage);
  std::string set_file_aside(const std::string& name, const std::string& file, const std::string& finding);
  void started_with(db_id);
  std::string unfit(const database_entry&) const;

  // cluster_lock.cpp
  void test_cluster_lock(const control_request&);
  void compare_cluster_lock(const control_request&);
  void get_reclock_file(const control_request&);
  bool lacks_cluster_lock() const;
  std::string cluster_lock_json() const;
  // nodes_list.cpp
  node_lines own_lines() const;
  address<link_message> spawn_link(pnn, const endpoint&, const node_lines&);
  void get_nodemap(const control_request&);
  void get_nodes_file(const control_request&);
  void reload_nodes_file(const control_request&);

  // bans.cpp
  void set_ban_state(const control_request&);
  void get_ban_state(const control_request&);
  void ban_reason(const control_request&);
  void ban(ban_cause, std::string why, pnn by, std::uint32_t seconds);
  void lift_ban(const std::string& why);
  void look_at_ban();
  bool all_frozen() const;
  db_holder_rules holder_rules() const;
  db_settings database_settings() const;

  // databases.cpp
  void attach(const control_request&);
  void create_database(const std::string& name, db_kind, bool tell_others, replier);
  void attach_from_disk();
  void retry_deferred_attaches();
  void watch_frozen();
  void get_dbmap(const control_request&);
  void get_db_lineages(const control_request&);
  void get_dbname(const control_request&);
  void get_dbpath(const control_request&);
  void db_get_health(const control_request&);
  void db_open_flags(const control_request&);
  void set_db_flag(const control_request&);
  void db_dispute(const control_request&);
  void to_database(const control_request&);
  void record_control(const control_request&);

  void enable_seqnum(const control_request&);

  // detach.cpp
  struct client_entry;
  std::string keeps_attached(const database_entry&) const;
  void db_detach(const control_request&);
  void detach_here(db_id, const replier&);
  void remember_freeze(std::uint64_t client, pnn to, const req_control&);
  void thaw_for(const client_entry& gone);

  // messages.cpp
  void deliver(const parcel_ptr&, const req_message&);
  void send_message(pnn to, floe::srvid, byte_view data, task written);
  void register_srvid(const control_request&);
  void deregister_srvid(const control_request&);
  void register_notify(const control_request&);
  void deregister_notify(const control_request&);
  void tunnel_register(const control_request&);
  void tunnel_deregister(const control_request&);
  void deliver_tunnel(const req_tunnel&);
  void accompany(const control_request&);
  void process_exists(const control_request&);
  void check_pid_srvid(const control_request&);
  void forget_messages_of(std::uint64_t client);
  std::vector<pnn> destinations(pnn) const;

  // traverse.cpp
  void traverse_start(const control_request&);
  void traverse_all(const control_request&);
  void traverse_data(const control_request&);
  void traverse_kill(const control_request&);
  void traverse_record(std::uint32_t id, const rec_data&);
  void end_traverse(std::uint32_t id);
  void end_traverses_of(std::uint64_t client);
  void run_local_traverse(db_id, bool with_empty, pnn origin, std::uint32_t id);

  // queries.cpp
  void ping(const control_request&);
  void get_pnn(const control_request&);
  void get_pid(const control_request&);
  void get_debug(const control_request&);
  void set_debug(const control_request&);
  void uptime(const control_request&);
  void get_runstate(const control_request&);
  floe::statistics own_statistics() const;
  void keep_statistics();
  void statistics_control(const control_request&);
  void statistics_reset(const control_request&);
  void stat_history(const control_request&);
  void list_tunables(const control_request&);
  void get_tunable(const control_request&);
  void set_tunable(const control_request&);
  void get_all_tunables(const control_request&);
  void dump_memory(const control_request&);
  void empty_list(const control_request&);
  void echo(const control_request&);
  void shutdown(const control_request&);
  void get_locks(const control_request&);
  void get_timeline(const control_request&);
  void get_node_status(const control_request&);
  void set_hold_phase(const control_request&);
  void apply_tunables();
  void gather(bool locks, std::function<void(std::vector<database_report>)> done);

  void check_own_pulse();

  void note(std::string_view event, std::string detail, db_id db = db_id{0});

  struct database_entry {
    std::string name, path;
    db_kind kind = db_kind::volatile_db;
    std::uint8_t flags = 0;  ///< db_flag bits
    generation gen = generation::invalid;
    std::vector<pnn> members;  ///< of `gen`: its vnn map
    bool fresh = false;        ///< made during a recovery: has taken part in nothing yet
    bool slept = false;        ///< this node has hung since its last recovery: others may have gone on
    freeze_state state = freeze_state::thawed;
    time_point state_since;
    pnn frozen_by = pnn::unknown;  ///< the last freeze that was a node's own, and no client's
    address<database_message> to;
    bool open = false;
    bool detaching = false;  ///< its actor is closing the file
    bool tell_others = false;
    bool sequence = false;  ///< clients have asked for a counter of its changes
    std::vector<replier> attaching;
    std::string damage;   ///< what is wrong with its content; empty: nothing
    std::string dispute;  ///< why it is given up; empty: it is not
  };
  struct outstanding_call {
    pnn to{0};
    control opcode{};
    replier answer;
    timer_id deadline{0};
  };
  struct client_entry {
    client_ref ref;
    std::map<std::uint64_t, bytes> notify;  ///< by srvid: told to all connected nodes when the client goes
    bool companion = false;  ///< its process has other connections, and lives by those
    std::set<std::pair<pnn, db_id>> frozen{};  ///< what it has frozen, where, and not thawed
  };
  struct subscriber {
    std::uint64_t owner;  ///< client id, or an actor's own number
    address<session_message> session;
    std::function<void(parcel_ptr)> deliver;
  };
  struct deferred_attach {
    control_request request;
    time_point until;
  };
  struct ban_entry {
    ban_cause cause{};
    std::string why;
    pnn by{0};
    std::uint32_t seconds = 0;
    time_point since;
    std::int64_t since_us = 0;
  };
  struct announced_ban {  ///< a leader has said why it will ban us
    pnn by{0};
    ban_cause cause{};
    std::string why;
    time_point when;
  };
  struct traverse_entry {
    std::uint64_t client;
    address<session_message> session;
    floe::srvid srvid{0};
    std::uint32_t client_reqid;
    db_id db{0};
    std::size_t ends_missing;
    timer_id deadline{0};
  };

  node_environment env_;
  node_config config_;
  std::function<void()> stopped_;
  view_ptr view_;
  pnn last_leader_ = pnn::unknown;  ///< also while nobody leads
  tunable_list tunables_;
  address<leader_message> leader_;
  std::unique_ptr<listener> peer_listener_, client_listener_;
  std::shared_ptr<std::uint64_t> serials_ = std::make_shared<std::uint64_t>(0);
  std::uint64_t last_client_ = 0;
  std::map<std::uint64_t, client_entry> clients_;
  std::map<db_id, database_entry> databases_;
  std::vector<db_id> attach_order_;
  std::unordered_map<std::uint32_t, outstanding_call> calls_;
  std::unordered_map<std::uint64_t, std::vector<subscriber>> subscribers_;
  std::map<std::uint64_t, std::uint64_t> tunnels_;  ///< tunnel id -> client
  std::vector<deferred_attach> deferred_;
  std::map<std::uint32_t, traverse_entry> traverses_;
  std::uint32_t last_traverse_ = 0;
  std::deque<timeline_event> timeline_;
  std::string progress_;
  std::set<db_id> starting_;  ///< databases that the start waits for
  cluster_lock_state lock_{.state = "not held", .detail = {}};
  time_point lock_since_;
  std::map<std::uint64_t, std::unique_ptr<lock_claim>> lock_tests_;
  std::uint64_t last_lock_test_ = 0;
  time_point started_;
  std::int64_t started_us_ = 0, recovery_started_us_ = 0, recovery_finished_us_ = 0, statistics_since_us_ = 0;
  time_point mode_since_;
  std::optional<ban_entry> ban_;
  std::optional<announced_ban> announced_ban_;
  std::map<pnn, std::string> refused_;  ///< peers that are kept out, and why
  timer_id tick_{0}, trim_{0};
  std::deque<floe::statistics> history_;  ///< newest first
  time_point next_snapshot_;
  std::deque<std::pair<generation, std::vector<pnn>>> maps_;  ///< the latest ones, newest first
  bool broken_since_map_ = false;  ///< a node of the map was lost after the map was set
  bool stopping_ = false;
  time_point last_tick_;
};

}  // namespace floe
