#pragma once
/// One database on one node. It is the only writer of its records and owns everything about them: the store, the
/// freeze state, the generation, the recovery transaction, the lock table and the pending migration requests.
///
///            freeze                      all locks released                transaction_start
///  thawed ───────────► freezing(holders) ─────────────────► frozen ───────────────────────► in_transaction
///    ▲                     │ (waiters counted, holders named)    │                                 │ pull · wipe · push
///    │                     └──────── thaw (recovery given up) ───┤                                 │ commit: generation := tid
///    └──────────────────────────────── thaw: resend every pending migration request ◄──────────────┘
///
/// While freezing, holders may read, store and unlock, and nothing new is granted; what comes in queues.
/// Requests of local clients survive a freeze; requests of other nodes do not survive a new generation, because
/// their senders ask again.
///
/// Parts with a state of their own, each a class that sees its database through a port (database_port.hpp): content_sender.hpp
/// and push_receiver.hpp (what a recovery takes and gives), copy_filler.hpp (before its node joins), holder_wait.hpp (whom a
/// freeze waits for), content_sums.hpp (sums over all records), change_counter.hpp (for clients that cache),
/// storage_trouble.hpp (what the storage refuses), lock_table.hpp, hot_records.hpp, vacuum_work.hpp.
///
/// Files: database.cpp (life, dispatch, views), reports.cpp (what it shows of itself, traverses), records.cpp (locks,
/// reads, stores, calls of clients), record_queue.cpp (who is served next), migration.cpp (how records move),
/// recovery_steps.cpp (freeze, transaction, thaw), recovery_pull.cpp, recovery_push.cpp, recovery_commit.cpp (what a
/// recovery takes and gives in between), replaced_content.cpp (what tools put in the place of a content),
/// read_only.cpp (copies that cannot be written),
/// transactions.cpp (of clients, on persistent and replicated ones), vacuum.cpp (deleted records are forgotten),
/// vacuum_agreement.cpp (when everybody else agrees), hot_records.cpp (what goes into the record table and comes out),
/// table_clients.cpp (who may use it), table_freeze.cpp, table_holders.cpp (who holds what there),
/// hot_copies.cpp (what is only read from there), fill.cpp (before its node joins), store_access.cpp (the store, with its errors
/// dealt with).
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "actors/database/change_counter.hpp"
#include "actors/database/content_sender.hpp"
#include "actors/database/content_sums.hpp"
#include "actors/database/copy_filler.hpp"
#include "actors/database/database_message.hpp"
#include "actors/database/database_port.hpp"
#include "actors/database/database_witness.hpp"
#include "actors/database/holder_wait.hpp"
#include "actors/database/lock_table.hpp"
#include "actors/database/push_receiver.hpp"
#include "actors/database/storage_trouble.hpp"
#include "actors/environment.hpp"
#include "actors/node/node_message.hpp"
#include "actors/node/pulse.hpp"
#include "actors/table/shared_in_process.hpp"
#include "protocol/rules/commit.hpp"
#include "protocol/rules/hot_keys.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/rules/own_freeze.hpp"
#include "protocol/rules/read_only.hpp"
#include "protocol/rules/stay.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/rec_data.hpp"
#include "storage/recovery_set.hpp"
#include "storage/store.hpp"

namespace floe {

/// Metadatum of the store: what is wrong with the content.
inline constexpr byte_view damage_name = "damage";

/// Of clients of this node, for one record; more would be looked at whenever one is served.
constexpr std::size_t most_waiters_of_key = 10'000;

/// What all other nodes are asked for by vacuuming, one after the other.
enum class vacuum_stage : std::uint8_t {
  replacing,  ///< their older copies by empty ones
  dropping,   ///< these
};
// the record table: hot_records.hpp
struct hot_records;
enum class promote_refusal : std::uint8_t;
enum class table_holder : std::uint32_t;
struct table_record;
struct table_waiting;
struct deletion_request;

class database final : public actor<database_message> {
 public:
  database(node_environment env, database_config config, view_ptr view, address<node_message> node);
  ~database() override;
  void start() override;
  void receive(database_message&) override;

 private:
  void on(db_client_call&);
  void on(db_peer_packet&);
  void on(db_control&);
  void on(db_push&);
  void on(db_client_gone&);
  void on(db_view&);
  void on(db_inspect&);
  void on(db_traverse&);
  void on(db_tick&);
  void on(db_flush&);
  void on(db_continue_pull&);
  void on(db_work_done&);
  void on(db_lock_timeout&);
  void on(db_holder_rules&);
  void on(db_holders_late&);
  void on(db_thaw_late&);
  void on(db_settings&);
  void on(db_vacuum_time&);
  void on(db_vacuum_slice&);
  void on(db_vacuum_answer&);
  void on(db_seqnum_time&);
  void on(db_stop&);
  void on(db_update_answer&);
  void on(db_next_slice&);
  void on(db_tell_contents&);
  void on(db_fill_from&);
  void on(db_fill_came&);
  void on(db_fill_on&);
  void on(db_look_for_room&);

  // migration.cpp
  void peer(pnn from, const parcel_ptr&, const req_call&);
  void peer(pnn from, const parcel_ptr&, const req_dmaster&);
  void peer(pnn from, const parcel_ptr&, const reply_dmaster&);
  void peer(pnn from, const parcel_ptr&, const reply_call&);
  void peer(pnn from, const parcel_ptr&, const reply_error&);
  void settle_peer_call(const bytes& key, const lock_waiter&);
  bool wait_for_thaw(pnn from, const parcel_ptr&);
  void serve_deferred();
  void push_record(db_control&);
  void ask_for(const bytes& key, lock_table::entry&, pnn whom, bool copy);
  void arrived(const bytes& key, reqid);
  void give(const bytes& key, const packet_header& request, const req_call_decision&);
  void forget_request(reqid);
  bool was_asked(reqid, byte_view key) const;
  bool reachable(pnn) const;
  bool is_floe(pnn) const;
  void resend_pending();
  std::vector<bytes> migrating_keys() const;
  void ask_again_if_one_came(const cluster_view& before);
  void drop_stale_waiters(generation before);
  void drop_what_waits();

  // read_only.cpp
  void allow_copies(db_control&);
  void make_sticky(db_control&);
  bool wants_copy(const lock_waiter&, const lock_table::entry&) const;
  void give_copy(const bytes& key, const packet_header& request);
  bool call_copies_back(const bytes& key);
  bool is_calling_back(const bytes& key) const;
  void not_given_back(const bytes& key, pnn holder, const std::string& why);
  void copy_answered(const bytes& key, std::uint64_t attempt, pnn holder, bool gone);
  bool end_call_back(const bytes& key);
  void end_call_backs();
  void look_at_copies_later(const bytes& key);
  void take_copy_back(db_control&);
  void note_copy(byte_view key, const record_header&);
  std::vector<bytes> keys_with_copies() const;
  void forget_copies();
  std::string who_has_copies(const bytes& key) const;
  void report_copies(database_report&) const;

  // records.cpp
  void record_lock(db_control&);
  void record_read(db_control&);
  void record_store(db_control&);
  void record_delete(db_control&);
  void record_unlock(db_control&);
  bool hold_if_muted(db_control&);
  bool refuse_if_voided(const db_control&, const bytes& key);
  void record_scan(db_control&);
  const bytes* held_key(const db_control&, std::uint64_t lock_id);
  void unlock(const bytes& key, const char* why);
  void client_left(const bytes& key, std::uint64_t client);

  // record_queue.cpp
  void enqueue(byte_view key, lock_waiter);
  void advance(const bytes& key);
  queue_state state_of(const bytes& key, const lock_table::entry&);
  queued_request as_queued(const lock_waiter&, const lock_table::entry&) const;
  bool carry_out(const bytes& key, lock_table::entry&, const queue_step&);
  void look_when_it_has_stayed(const bytes& key, lock_table::entry&);
  void grant(const bytes& key, lock_table::entry&, lock_waiter&);
  void tell_if_slow(const char* what, const bytes& key, const lock_waiter&) const;
  void answer_read(const bytes& key, const lock_waiter&);
  void answer_call(const bytes& key, const lock_waiter&);
  std::string why_waiting(const bytes& key, const lock_table::entry&) const;
  /// Refuses, if as many as may wait for the record do.
  bool is_crowded(byte_view key, const client_ref&, const replier&);
  void in_slices(std::vector<bytes> keys, std::function<void(const bytes&)> step);

  // transactions.cpp
  void trans3_commit(db_control&);
  void update_record(db_control&);
  std::expected<std::vector<change>, std::string> changes_of(const db_control&, const rec_buffer&);
  void follow(const commit_step&);
  std::string describe_commit() const;
  void serve_until_thaw();

  // vacuum.cpp
  void note_stored(byte_view key, const record_header&, bool empty);
  bool forget(byte_view key);
  void schedule_for_deletion(db_control&);
  void vacuum_fetch(db_control&);
  void came_home(byte_view key);
  void fetched(const bytes& key);
  std::optional<deleted_record> deleted_here(byte_view key);
  bool may_vacuum() const;
  void wind_vacuum_clock();
  void vacuum_on_request(db_control&);
  void vacuum_soon();
  void begin_vacuum(bool full, std::size_t left);
  time_point end_of_slice() const;
  void next_slice();
  void vacuum_slice();
  void look_for_deleted();
  void fetch_some();
  void vacuum_one(deletion_queue::entry, std::map<pnn, rec_buffer_builder>& to_ctdbd);
  void give_home(const bytes& key, pnn home);
  void end_vacuum();
  void compact_if_due();

  // vacuum_agreement.cpp
  void offer();
  std::optional<std::vector<pnn>> who_must_agree() const;
  void ask_others(vacuum_stage, std::vector<offered_deletion>, std::span<const pnn> others);
  void all_answered();
  void drop_some();
  void drop_last(offered_deletion);
  void try_delete_records(db_control&);
  void try_to_delete(const std::shared_ptr<deletion_request>&);
  bool delete_as_offered(const rec_data&);

  // table_clients.cpp
  void on(db_table_rules&);
  void record_table_control(db_control&);
  std::optional<std::string> make_table();
  /// Tells the witness what simulated clients do in the record table.
  std::function<void(shared_in_process::act, byte_view, std::uint64_t, bool)> table_sight() const;
  void table_client_leaves(const db_control&);
  void table_client_gone(std::uint64_t client, bool has_unmapped);

  // hot_records.cpp
  void on(db_table_rung&);
  void on(db_table_tick&);
  void on(db_table_recall&);
  bool into_table(const bytes& key, const record&, table_holder);
  bool grant_in_table(const bytes& key, lock_waiter&);
  void read_in_table(const bytes& key, const record&);
  bool make_room(const bytes& key, promote_refusal);
  bool out_of_table(const bytes& key);
  bool keep_and_take(std::uint32_t slot, table_holder by);
  bool keep(const table_record&);
  void drop_broken(std::uint32_t slot);
  void answer_readers(const bytes& key, lock_table::entry&, std::uint32_t slot);
  bool waits_for_table(const bytes& key, lock_table::entry&);
  bool is_first(const lock_waiter&, const lock_table::entry&) const;
  bool goes_from_hand_to_hand(const bytes& key);
  void table_take_over(const db_control&, const bytes& key, std::uint32_t thread);
  void answer_for_table();
  void look_at_recalls_later();
  void table_tick_later();
  void collect_table();

  // hot_copies.cpp
  void show_in_table(const bytes& key, const lock_waiter&, const record&, bool found);
  bool is_only_shown(const bytes& key, const lock_table::entry&, std::uint32_t slot);
  void show_no_more(byte_view key);

  // table_freeze.cpp
  bool anybody_holds() const;
  bool close_table();
  void empty_table();
  std::vector<record> left_in_table();
  void drop_table_content();
  void recall_all();
  void reopen_table();
  void close_table_of_before();
  void close_table_for_good();

  // table_holders.cpp
  bool in_table(byte_view key) const;
  bool table_has_records() const;
  std::uint64_t table_locks() const;
  /// Nobody: the record is not in the table, or free there.
  const client_ref* table_holder_of(byte_view key) const;
  void look_who_waits();
  std::vector<table_waiting> table_waiters() const;
  std::vector<key_holder> table_holders() const;
  std::vector<key_holder> lock_holders() const;

  // store_access.cpp
  /// Whether the store has to be here before the message can be carried out.
  template <class Message>
  static constexpr bool needs_store();
  void give_store_away(store_use);
  void store_back();
  /// This node's copy; what is not here belongs to its lmaster.
  record local(byte_view key, bool* found = nullptr);
  std::optional<record_header> header_of(byte_view key);
  /// Of a record that is here.
  record_header own_header(byte_view key);
  pnn owner(byte_view key, const record_header&) const;
  void take_over(record&, pnn whose);
  bool put(byte_view key, const record_header&, byte_view data);
  bool store_as_daemon(byte_view key, const record_header&, byte_view data);
  void store_later(pnn from, const parcel_ptr&);
  void refuse_waiters(const bytes& key);
  void refuse(reqid, const client_ref&, record_use, const replier&);
  bool cannot_take(byte_view key);
  void storage_failed(const char* doing, const store_error& e) { storage_.failed(doing, e); }
  void storage_works() { storage_.works(); }
  void plan_flush();

  // recovery_steps.cpp
  /// Takes the event through the rules and does what every step may ask for; false if it was refused.
  bool transition(const freeze_input&, const replier&, freeze_step* out = nullptr);
  std::optional<generation> recovery_of(const db_control&) const;
  void freeze(db_control&);
  void freeze_by_itself();
  void void_locks(const char* why);
  void serve_muted();
  void become_inactive();
  void leave();
  void begin(db_control&);
  void open_transaction(const db_control&);
  void recovery_begin(db_control&);
  generation content() const;
  db_copy_state copy_state(const db_digest* = nullptr) const;
  bool in_recovery(generation tid, const replier&) const;
  void cancel(db_control&);
  void wipe(db_control&);
  void thaw(db_control&);

  // replaced_content.cpp
  bool is_outside(const db_control&) const;
  static std::pair<pnn, std::uint64_t> asker_of(const db_control&);
  bool refuse_if_anothers(const db_control&) const;
  void keep_number_rising(recovery_set&);
  void tell_replaced(const db_control&, std::uint64_t records);
  void thaw_after_recovery(const replier&);
  void answer_thaws();

  // recovery_pull.cpp
  void pull(db_control&);
  void send_changes(db_control&);
  void send_copies(db_control&);

  // recovery_push.cpp
  void push_start(db_control&);
  void push_confirm(db_control&);

  // recovery_commit.cpp
  void commit(db_control&);
  void finish_commit(const freeze_step&, const replier&);
  void declare_health(db_control&, std::string damage);
  void set_damage(std::string);
  std::string damage_after_commit() const;
  void get_seqnum(db_control&);
  /// Of the transactions.
  std::uint64_t sequence_number() const;

  // fill.cpp
  bool notes_changes() const;
  void give_part(db_control&);
  bool empty_for_fill();
  bool commits_what_was_filled() const;

  // reports.cpp
  void report_work(database_report&) const;
  void report_content(database_report&) const;
  void report_locks(database_report&, bool named) const;
  std::int64_t age_ms(time_point) const;
  void statistics(db_control&);

  // of the parts: database.cpp
  void digest(db_control&);
  void enable_seqnum(db_control&);
  void update_seqnum(db_control&);
  void count_change();

  void close_for_good();
  void send_packet(pnn to, reqid, pnn source, const packet_body&, task written = nullptr);
  void note(event_line line);
  /// Onto the node's timeline and into its log.
  template <class Event>
  void note(const Event& e) {
    note(line_of(e));
  }
  /// On the timeline, once.
  void note_wait(const bytes& key, const lock_table::entry&, lock_waiter&);
  void note_request(bool again, const bytes& key, pnn to, reqid id);
  /// Tells the witness, if there is one.
  template <class... Of, class... What>
  void witness(void (database_witness::*event)(const database_moment&, Of...),
               const What&... what) const {
    if (config_.witness)
      (config_.witness->*event)({env_.self, config_.id, gen_, view_->gen}, what...);
  }
  void changed(bool recovered = false);
  void need_tick();
  pnn lmaster(byte_view key) const;
  /// Stopped or banned: frozen, and kept so.
  bool inactive() const;
  bool leaving() const;
  bool thawed() const { return freeze_.state == freeze_state::thawed; }

  node_environment env_;
  database_config config_;
  view_ptr view_;
  address<node_message> node_;
  std::shared_ptr<store> store_;  ///< shared with the work that another thread does on it
  freeze_status freeze_;
  own_freeze own_freeze_ = own_freeze::none;
  std::vector<db_control>
      muted_;  ///< of holders of locks, until it is known whether this node counts
  time_point state_since_;
  std::uint64_t cut_offs_ = 0;  ///< of the pulse: so many were acted on
  generation gen_ = generation::invalid;
  bool committed_ =
      false;  ///< gen_ is that of a recovery's commit here, not of the map it was opened under
  /// The transaction that is open, and the one that was committed last, is of a recovery of floe's nodes alone: what is
  /// pushed is stored as it is, equal on all; and records may name an owner that is not in the map any more.
  bool equal_open_ = false, equal_ = false;
  std::vector<replier> freeze_waiters_;
  std::vector<db_peer_packet> deferred_;  ///< records that arrived while frozen
  lock_table locks_;
  pnn given_to_ = pnn::unknown;  ///< the record whose queue is being served, in this turn
  std::vector<queued_request> queued_;  ///< what advance() shows to the rules; kept for its memory
  std::unordered_map<std::uint32_t, bytes> key_of_request_;  ///< pending migrations by request id
  std::uint32_t last_lock_ = 0;
  std::uint64_t last_waiter_ = 0;
  std::unordered_map<std::uint64_t, bytes> key_of_waiter_;  ///< waiters with a deadline
  std::pair<pnn, std::uint64_t>
      transaction_of_;  ///< node and client who began the one that is open
  std::map<std::uint64_t, replier>
      thaws_wait_;  ///< of tools, for the recovery of what they put here
  std::uint64_t last_thaw_ = 0;
  std::unique_ptr<recovery_set> pushed_;
  std::string
      damage_;  ///< what is wrong with the content; also in the file, so that it outlives the process
  std::optional<std::string> declared_damage_;  ///< of what the transaction will commit
  bool gave_content_ = false;  ///< in this transaction: what is committed may be our own
  store_use store_use_ = store_use::here;
  std::deque<database_message> held_back_;  ///< until the store is here again
  vacuum_work vacuum_;
  vacuum_stage vacuum_stage_{};  ///< of what is offered to all others
  std::vector<offered_deletion> agreed_;  ///< to be dropped here, as the last ones, from the end
  bool vacuum_soon_ = false;
  std::vector<db_control> until_thaw_;  ///< reads and transactions that a frozen database lets wait
  database_commit commit_;
  replier commit_answer_;
  std::uint64_t commit_client_ = 0;
  time_point commit_since_;
  bool commit_refused_ = false;  ///< the last commit of a group
  bool no_room_ = false;         ///< a record has arrived and could not be stored
  struct {
    bool known = false;
    std::uint64_t writes = 0;  ///< of the store, then
    bytes key;
    std::optional<record_header> header;
  } last_header_;  ///< that was looked up: one request asks for the same several times
  enum class flush_plan : std::uint8_t { none, later, next_turn } flush_planned_ = flush_plan::none;
  bool ticking_ = false;
  std::unique_ptr<hot_records>
      hot_records_;  ///< the record table, from the moment a client asks for it
  db_table_rules table_rules_{false, std::chrono::milliseconds(3)};
  bool looks_planned_ = false;  ///< at records that were called back
  std::uint64_t thaws_ = 0;     ///< what the one before has begun and not ended is left to the next
  std::uint64_t migrations_done_ = 0, migrations_resent_ = 0;
  counters count_;                          ///< of this database alone: locks and hops
  hot_keys hot_;                            ///< records that come here and go
  bool copies_allowed_ = false;             ///< read-only ones, by SET_DB_READONLY
  std::map<bytes, copies_out> copies_out_;  ///< of records of ours
  std::set<bytes> copies_here_;             ///< of records of others
  std::uint64_t copies_given_ = 0, called_back_ = 0;
  std::uint64_t last_call_back_ = 0;  ///< try to call copies back, of any record
  record_stays stays_;
  db_settings settings_{};

  // the parts, each with a state of its own
  database_port port_{env_, config_, view_, node_, self(), store_, store_use_, settings_, storage_};
  storage_trouble storage_{port_};
  change_counter changes_{port_};
  content_sums sums_{port_};
  content_sender sender_{port_};
  push_receiver pushes_{port_};
  copy_filler filling_{port_};
  holder_wait holders_{port_};
};

}  // namespace floe
