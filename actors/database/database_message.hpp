#pragma once
/// What a database actor understands. It owns one database on one node: its store, freeze state, generation,
/// recovery transaction, lock table and pending migration requests; nobody else touches any of them.
#include <cassert>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/cluster_view.hpp"
#include "actors/control_call.hpp"
#include "actors/database/vacuum_work.hpp"
#include "actors/parcel.hpp"
#include "actors/replier.hpp"
#include "actors/session/session_message.hpp"
#include "protocol/change_state.hpp"
#include "protocol/record.hpp"
#include "protocol/rules/freeze.hpp"
#include "protocol/rules/hot_keys.hpp"
#include "protocol/rules/joining.hpp"
#include "protocol/rules/stay.hpp"
#include "protocol/types/database.hpp"

namespace floe {

/// REQ_CALL of a local client.
struct db_client_call {
  client_ref client;
  parcel_ptr packet;
};
/// REQ_CALL, REPLY_CALL, REQ_DMASTER, REPLY_DMASTER, REPLY_ERROR of another node, after the generation check.
struct db_peer_packet {
  pnn from;
  parcel_ptr packet;
};
/// A control that concerns this database: recovery steps, record controls, queries.
struct db_control {
  control opcode;
  parcel_ptr packet;  ///< its body is the req_control
  pnn from;           ///< the node it came from, our own for clients and for ourselves
  std::optional<client_ref> client;
  replier answer;
  std::shared_ptr<const void>
      decoded;  ///< the request, of the type of its row; views point into the packet

  template <control C>
  static db_control of(request_of<C> request, const caller& by, replier answer) {
    return {.opcode = C,
            .packet = by.packet,
            .from = by.from,
            .client = by.client,
            .answer = std::move(answer),
            .decoded = std::make_shared<const request_of<C>>(std::move(request))};
  }
  template <control C>
  const request_of<C>& request() const {
    assert(opcode == C);
    return *static_cast<const request_of<C>*>(decoded.get());
  }
};
/// Records of a push, addressed to the srvid that DB_PUSH_START named.
struct db_push {
  parcel_ptr packet;
};
struct db_client_gone {
  std::uint64_t client;
};
struct db_view {
  view_ptr view;
};
/// What happens when a freeze has waited too long for a client that holds a record lock.
enum class holder_policy : std::uint8_t { wait, disconnect, ban };
struct db_holder_rules {
  holder_policy policy;
  duration patience;
};
/// Whether clients may use the record table, and how long other nodes wait for a record that it keeps hot.
struct db_table_rules {
  bool on;
  duration stay;
};
/// A client has let go what the node waits for; or it is time to look whether one has.
struct db_table_rung {
  bool planned = false;
};
struct db_table_tick {};
/// The record has stayed as long as it may.
struct db_table_recall {
  bytes key;
};
struct db_holders_late {
  std::uint64_t freeze;
};
/// A tool that thaws replaced content has waited for the recovery for long enough.
struct db_thaw_late {
  std::uint64_t thaw;
};
/// The node's tunables that concern databases.
struct db_settings {
  vacuum_settings vacuum;
  duration seqnum_interval{std::chrono::seconds(1)};
  stay_settings stay;  ///< but for the database's own property
  duration slow{};     ///< LogLatencyMs: what takes longer is told in the log; 0: nothing is
  /// What a recovery collects and is larger is told in the log; 0: nothing is.
  struct {
    std::uint32_t records = 0, bytes = 0, record_bytes = 0;
  } large{};
};

struct lock_holder_info {
  bytes key;
  std::uint64_t client;
  pid_t pid;
  std::string name;
  std::int64_t age_ms;
};
struct lock_waiter_info {
  bytes key;
  std::uint64_t client;  ///< 0: another node
  pid_t pid;
  std::string name;
  pnn node;  ///< whose request it is
  std::int64_t age_ms;
  std::string why;  ///< held / migrating from N / database freezing / database frozen / ...
};
/// Everything visible about a database at one moment.
struct database_report {
  db_id id{0};
  std::string name;
  std::string path;
  std::string damage;  ///< what is wrong with the content; empty: nothing
  db_kind kind = db_kind::volatile_db;
  std::uint32_t flags = 0;
  generation gen = generation::invalid;
  freeze_state state = freeze_state::thawed;
  std::int64_t state_age_ms = 0;
  std::uint64_t records = 0, bytes = 0;
  std::uint64_t locks_held = 0, locks_waiting = 0;
  std::uint64_t migrations_pending = 0, migrations_done = 0, migrations_resent = 0;
  std::int64_t migration_oldest_ms = 0;  ///< of those pending: since it was asked for first
  struct {
    std::uint64_t queued = 0, runs = 0, forgotten = 0, sent_home = 0, refused = 0, compactions = 0;
    std::uint64_t queue_bytes = 0;  ///< memory of what is queued
    std::uint64_t left_out = 0;    ///< did not fit, and is found by a run that looks at all records
    std::int64_t oldest_ms = 0;    ///< of what is queued
    std::int64_t running_ms = -1;  ///< of the present run; -1: none
    double last_run_seconds = 0;
    std::uint64_t last_run_forgotten = 0;
  } vacuum;
  struct {
    change_state state = change_state::none;
    generation since = generation::invalid;
    std::uint64_t keys = 0, bytes = 0;
  } changes;  ///< since the last recovery
  struct {
    std::uint64_t records = 0, clients = 0;
    std::uint64_t locks = 0, recalls = 0;  ///< so far
  } table;                                 ///< of records in shared memory
  struct {
    std::uint64_t out = 0;           ///< records of ours that other nodes have copies of
    std::uint64_t here = 0;          ///< copies of records of others
    std::uint64_t calling_back = 0;  ///< records of ours whose copies are wanted back
    std::int64_t oldest_ms = 0;      ///< so long, the longest of them
    std::uint64_t given = 0, called_back = 0;
  } read_only;
  std::uint64_t sticky = 0;    ///< records that are sticky here
  std::uint64_t sequence = 0;  ///< moves with every change
  struct {
    double processor_seconds = 0;  ///< of all threads of the node, for this database; an estimate
    std::uint64_t received = 0,
                  sent = 0;    ///< bytes of packets about its records, from and to other nodes
    std::uint64_t stored = 0;  ///< bytes of keys and data
  } work;
  std::vector<hot_record> hot;  ///< the hottest first; if holders are asked for, too
  std::string commit;  ///< of a client's transaction, as it stands; empty: none is under way
  std::int64_t commit_age_ms = 0;
  std::string storage_trouble;  ///< what the storage refuses; empty: nothing
  std::int64_t storage_age_ms = 0;
  std::vector<lock_holder_info> holders;
  std::vector<lock_waiter_info> waiters;
};
/// Calls `tell` with the present report, from the database's turn on the loop.
struct db_inspect {
  bool locks;
  std::function<void(database_report)> tell;
};
/// Sends the local records (of which we are dmaster, for volatile databases) to `emit`, slice by slice: the next one is read
/// when the argument of `slice_ends` is called, which is when this one has been taken; `done` at the end. A traverse that
/// nobody wants any more ends when that argument is dropped.
struct db_traverse {
  bool with_empty;
  std::function<void(const record_view&)> emit;
  std::function<void(task next)> slice_ends;
  std::function<void(std::string error)> done;
};

/// Calls `tell` with what the database's copy can claim (GET_DB_CONTENTS).
struct db_tell_contents {
  std::function<void(std::vector<db_content_entry>)> tell;
};
/// This copy counts nowhere: it is filled with the content that `from` has, from where it was left or from the beginning.
/// Answered by database_fill, once or more often.
struct db_fill_from {
  pnn from;
  fill_number fill;
  bool anew;
  std::uint64_t bytes_per_second;  ///< at most; 0: as fast as it comes
};
struct db_fill_came {
  fill_number fill;
  control_answer answer;
};
/// The next part may be asked for.
struct db_fill_on {
  fill_number fill;
};

struct db_tick {};
struct db_flush {};
struct db_continue_pull {
  std::uint64_t pull;
};
/// Offloaded work has ended.
struct db_work_done {
  std::function<void()> finish;
};
/// Goes on, in a turn of its own, with what is done in slices: traverses, queues, what a client has left behind.
struct db_next_slice {
  std::function<void()> go;
};
struct db_lock_timeout {
  std::uint64_t waiter;
};
/// The end of the actor; with `remove` the file is deleted and the node told.
struct db_stop {
  bool remove = false;
};
/// VacuumInterval is over.
struct db_vacuum_time {
  std::uint64_t clock;
};
struct db_vacuum_slice {
  std::uint64_t run;  ///< 0: homecomers have gathered
};
/// A node has answered TRY_DELETE_RECORDS.
struct db_vacuum_answer {
  std::uint64_t offer;
  pnn node;
  control_answer answer;
};
struct db_seqnum_time {};
struct db_reset_counters {};  ///< STATISTICS_RESET
struct db_look_for_room {};   ///< what a recovery brought did not fit
/// A node has stored a transaction, or not.
struct db_update_answer {
  std::uint64_t commit;
  pnn node;
  control_answer answer;
};
/// The leader has said which nodes take part, or nothing.
struct db_nodes_told {
  std::uint64_t question;
  control_answer answer;
};

/// A node has told how an earlier content came to be, or has not.
struct db_step_told {
  std::uint64_t question;
  control_answer answer;
};

using database_message =
    std::variant<db_client_call, db_peer_packet, db_control, db_push, db_client_gone, db_view,
                 db_inspect, db_traverse, db_tick, db_flush, db_continue_pull, db_work_done,
                 db_lock_timeout, db_holder_rules, db_holders_late, db_thaw_late, db_stop,
                 db_update_answer, db_next_slice, db_settings, db_vacuum_time, db_vacuum_slice,
                 db_vacuum_answer, db_seqnum_time, db_table_rules, db_table_rung, db_table_tick,
                 db_table_recall, db_tell_contents, db_fill_from, db_fill_came, db_fill_on,
                 db_look_for_room, db_reset_counters, db_nodes_told, db_step_told>;

}  // namespace floe
