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
/// Parts with a state of their own, each a class that sees its database through a port (database_port.hpp), and its records
/// through what record_keeper.hpp lets it ask:
///   of records     record_requests.hpp (asked for), read_only_copies.hpp, vacuuming.hpp, hot_records.hpp (the record table),
///                  lock_table.hpp (who holds and waits), change_counter.hpp (for clients that cache)
///   of recoveries  content_sender.hpp and push_receiver.hpp (what one takes and gives), holder_wait.hpp (whom a freeze waits
///                  for), content_sums.hpp, content_damage.hpp, copy_filler.hpp (before its node joins)
///   of clients     client_commit.hpp (transactions), waiting_thaws.hpp (tools that replace the content)
///   of the store   group_commits.hpp (when what was written becomes durable), storage_trouble.hpp (what it refuses)
///
/// What is left here is what moves between them: the freeze state, the generation, and who is served. Files: database.cpp
/// (life, dispatch, views), reports.cpp (what it shows of itself, traverses), records.cpp (locks, reads, stores, calls of
/// clients), record_queue.cpp (who is served next), migration.cpp (how records move), migration_requests.cpp (what is asked
/// of others, and asked again), volatile_updates.cpp (records that another node writes), transactions.cpp (what each node
/// stores of one), store_access.cpp (the store, with its errors dealt with), recovery_steps.cpp (freeze, transaction, thaw),
/// recovery_pull.cpp, recovery_push.cpp, recovery_commit.cpp (what a recovery takes and gives in between),
/// replaced_content.cpp (what tools put in the place of a content), fill.cpp (before its node joins).
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "actors/database/change_counter.hpp"
#include "actors/database/client_commit.hpp"
#include "actors/database/content_damage.hpp"
#include "actors/database/content_sender.hpp"
#include "actors/database/content_sums.hpp"
#include "actors/database/copy_filler.hpp"
#include "actors/database/database_message.hpp"
#include "actors/database/database_port.hpp"
#include "actors/database/group_commits.hpp"
#include "actors/database/holder_wait.hpp"
#include "actors/database/hot_records.hpp"
#include "actors/database/inherited_history.hpp"
#include "actors/database/lock_table.hpp"
#include "actors/database/push_receiver.hpp"
#include "actors/database/read_only_copies.hpp"
#include "actors/database/record_keeper.hpp"
#include "actors/database/record_requests.hpp"
#include "actors/database/storage_trouble.hpp"
#include "actors/database/vacuuming.hpp"
#include "actors/database/waiting_thaws.hpp"
#include "actors/environment.hpp"
#include "actors/node/node_message.hpp"
#include "actors/node/pulse.hpp"
#include "protocol/rules/content_past.hpp"
#include "protocol/rules/hot_keys.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/rules/own_freeze.hpp"
#include "protocol/rules/stay.hpp"
#include "storage/recovery_set.hpp"
#include "storage/store.hpp"

namespace floe {

/// Of clients of this node, for one record; more would be looked at whenever one is served.
constexpr std::size_t most_waiters_of_key = 10'000;

struct content_write;

/// What a recovery, or a tool, has begun and not yet committed.
struct recovery_transaction {
  std::pair<pnn, std::uint64_t> of{};  ///< the node and the client who began it
  /// Of a recovery of floe's nodes alone: what is pushed is stored as it is, equal on all.
  bool equal = false;
  std::unique_ptr<recovery_set> pushed{};  ///< nothing: none is open, or its commit has failed
  std::optional<content_past> past{};      ///< of what will be committed, if the leader has told it
  bool of_nothing = false;                 ///< nobody's copy counts in it
};

/// The header that was looked up last: one request asks for the same several times.
struct last_header {
  bool known = false;
  std::uint64_t writes = 0;  ///< of the store, then
  bytes key;
  std::optional<record_header> header;
};

class database final : public actor<database_message>, private record_keeper {
 public:
  database(node_environment env, database_config config, view_ptr view, address<node_message> node);
  ~database() override;
  void start() override;
  void receive(database_message&) override;

 private:
  // database.cpp; those of one part go there
  void on(db_control&);
  void on(db_view&);
  void on(db_settings&);
  void on(db_seqnum_time&);
  void on(db_stop&);
  void on(db_flush&) { groups_.commit(); }
  void on(db_continue_pull& m) { sender_.on(m); }
  void on(db_look_for_room& m) { storage_.on(m); }
  void on(db_holder_rules& m) { holders_.set(m); }
  void on(db_update_answer& m) { commit_.on(m); }
  void on(db_nodes_told& m) { commit_.on(m); }
  void on(db_step_told& m) { history_.on(m); }
  void on(db_thaw_late& m) { thaws_.on(m); }
  void on(db_fill_on& m) { filling_.on(m); }
  void on(db_vacuum_time& m) { vacuum_.on(m); }
  void on(db_vacuum_slice& m) { vacuum_.on(m); }
  void on(db_vacuum_answer& m) { vacuum_.on(m); }
  void on(db_reset_counters&);
  void on(db_table_rules& m) { table_.set(m); }
  void on(db_table_tick& m) { table_.on(m); }
  void on(db_table_recall& m) { table_.on(m); }
  void on(db_next_slice& m) { m.go(); }
  void digest(db_control&);
  void enable_seqnum(db_control&);
  void update_seqnum(db_control&);
  void make_sticky(db_control&);
  void count_change();
  void close_for_good();
  void changed(bool recovered = false);
  bool leaving() const;
  bool is_member() const;

  // migration.cpp
  void on(db_peer_packet&);
  void peer(pnn from, const parcel_ptr&, const req_call&);
  void peer(pnn from, const parcel_ptr&, const req_dmaster&);
  void peer(pnn from, const parcel_ptr&, const reply_dmaster&);
  void peer(pnn from, const parcel_ptr&, const reply_call&);
  void peer(pnn from, const parcel_ptr&, const reply_error&);
  void settle_peer_call(const bytes& key, const lock_waiter&);
  record_header header_for_call(const bytes& key);
  void send_on(const packet_header& request, const req_call&, pnn to);
  void count_hops(std::uint32_t hops);
  bool wait_for_thaw(pnn from, const parcel_ptr&);
  void serve_deferred();
  void push_record(db_control&);
  void give(const bytes& key, const packet_header& request, const req_call_decision&);
  pnn lmaster(byte_view key) const override;
  bool reachable(pnn) const override;
  bool is_floe(pnn) const;

  // migration_requests.cpp
  void on(db_tick&);
  void arrived(const bytes& key);
  void ask_for(const bytes& key, lock_table::entry&, pnn whom, bool copy);
  void resend_pending();
  void ask_again_if_one_came(const cluster_view& before);
  void drop_stale_waiters(generation before);
  void drop_what_waits();
  void need_tick();
  void note_request(bool again, const bytes& key, pnn to, reqid id);

  // volatile_updates.cpp
  void update_volatile(db_control&, unsigned tries);
  void update_later(db_control&, unsigned tries);
  bool is_free_to_write(const bytes& key);

  // records.cpp
  void on(db_client_call&);
  void on(db_client_gone&);
  void on(db_lock_timeout&);
  void record_lock(db_control&);
  void record_read(db_control&);
  void record_store(db_control&);
  void record_delete(db_control&);
  void record_unlock(db_control&);
  bool hold_if_muted(db_control&);
  bool refuse_if_voided(const db_control&, const bytes& key);
  void record_scan(db_control&);
  void record_table_control(db_control&);
  void take_over_from_table(const db_control&, const bytes& key, std::uint32_t thread);
  const bytes* held_key(const db_control&, std::uint64_t lock_id);
  void unlock(const bytes& key, const char* why);
  void client_left(const bytes& key, std::uint64_t client);
  std::uint64_t hold(const bytes& key, lock_table::entry&, const client_ref&);
  bool anybody_holds() const;
  std::vector<key_holder> lock_holders() const;
  bool is_wanted(byte_view key) override;

  // record_queue.cpp
  void enqueue(byte_view key, lock_waiter) override;
  void advance(const bytes& key) override;
  queue_state state_of(const bytes& key, const lock_table::entry&);
  bool carry_out(const bytes& key, lock_table::entry&, const queue_step&);
  void look_when_it_has_stayed(const bytes& key, lock_table::entry&);
  void grant(const bytes& key, lock_table::entry&, lock_waiter&);
  void tell_if_slow(const char* what, const bytes& key, const lock_waiter&) const;
  void answer_read(const bytes& key, const lock_waiter&) override;
  void answer_call(const bytes& key, const lock_waiter&);
  void end_call(const client_ref&, const packet_header& request, std::int32_t status,
                byte_view data = {});
  std::string why_waiting(const bytes& key, const lock_table::entry&) const;
  /// Refuses, if as many as may wait for the record do.
  bool is_crowded(byte_view key, const client_ref&, const replier&);
  /// On the timeline, once.
  void note_wait(const bytes& key, const lock_table::entry&, lock_waiter&);
  void in_slices(std::vector<bytes> keys, std::function<void(const bytes&)> step);

  // transactions.cpp
  void update_record(db_control&, unsigned tries = 0);
  void store_update(const db_control&, std::vector<change>);
  std::expected<std::vector<change>, std::string> changes_of(const db_control&, const rec_buffer&);
  void serve_until_thaw();

  // store_access.cpp
  /// Whether the store has to be here before the message can be carried out.
  template <class Message>
  static constexpr bool needs_store();
  void on(db_work_done&);
  void give_store_away(store_use);
  void store_back();
  bool in_use() const override;
  record local(byte_view key, bool* found = nullptr) override;
  std::optional<record_header> header_of(byte_view key) override;
  record_header own_header(byte_view key) override;
  pnn owner(byte_view key, const record_header&) const;
  void take_over(record&, pnn whose);
  bool put(byte_view key, const record_header&, byte_view data) override;
  bool store_as_daemon(byte_view key, const record_header&, byte_view data) override;
  bool forget(byte_view key) override;
  void took_from_table(const record_view&) override;
  void store_later(pnn from, const parcel_ptr&);
  void refuse_waiters(const bytes& key);
  void refuse_for_room(const replier&) const;
  bool cannot_take(byte_view key);

  // recovery_steps.cpp
  void on(db_holders_late&);
  void on(db_table_rung&);
  void table_client_gone(std::uint64_t client, bool has_unmapped);
  bool close_to_new_holders();
  /// Takes the event through the rules and does what every step may ask for; false if it was refused.
  bool transition(const freeze_input&, const replier&, freeze_step* out = nullptr);
  std::optional<generation> recovery_of(const db_control&) const;
  void freeze(db_control&);
  void freeze_by_itself();
  void void_locks(const char* why);
  bool holds_in_vain() const;
  void hurry_void_holders();
  void serve_muted();
  void become_inactive();
  void leave();
  void close(db_control&);
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

  // recovery_pull.cpp
  void pull(db_control&);
  void send_changes(db_control&);
  void send_copies(db_control&);
  void tell_step(db_control&);

  // recovery_push.cpp
  void on(db_push&);
  void push_start(db_control&);
  void push_confirm(db_control&);

  // recovery_commit.cpp
  void commit(db_control&);
  content_write write_of(generation tid, bool replaced);
  void committed(freeze_event::commit, const db_control& by, const content_write&, bool replaced);
  void finish_commit(const freeze_step&, const replier&);
  void take_past(const replier&, byte_view told);
  void get_seqnum(db_control&);

  // fill.cpp
  void on(db_tell_contents&);
  void on(db_fill_from&);
  void on(db_fill_came&);
  bool notes_changes() const;
  void give_part(db_control&);
  bool empty_for_fill();
  bool commits_what_was_filled() const;

  // reports.cpp
  void on(db_inspect&);
  void on(db_traverse&);
  void report_work(database_report&) const;
  void report_content(database_report&) const;
  void report_locks(database_report&, bool named) const;
  std::int64_t age_ms(time_point) const;
  void statistics(db_control&);

  void send_packet(pnn to, reqid, pnn source, const packet_body&, task written = nullptr) override;
  /// Onto the node's timeline and into its log.
  template <class Event>
  void note(const Event& e) const {
    port_.note(e);
  }
  template <class... Of, class... What>
  void witness(void (database_witness::*event)(const database_moment&, Of...),
               const What&... what) const {
    port_.witness(event, what...);
  }
  bool inactive() const { return port_.inactive(); }
  bool thawed() const { return port_.thawed(); }

  node_environment env_;
  database_config config_;
  view_ptr view_;
  address<node_message> node_;
  db_settings settings_{};
  counters count_;  ///< of this database alone: locks and hops
  work_meter meter_{!env_.loop.is_simulated()};

  // the store
  std::shared_ptr<store> store_;  ///< shared with the work that another thread does on it
  store_use store_use_ = store_use::here;
  std::deque<database_message> held_back_;  ///< until the store is here again
  last_header last_header_;
  bool no_room_ = false;  ///< a record has arrived and could not be stored

  // the freeze and the generation
  freeze_status freeze_;
  own_freeze own_freeze_ = own_freeze::none;
  bool closed_ = false;  ///< about to be detached by all: it stays frozen
  time_point state_since_;
  std::uint64_t cut_offs_ = 0;  ///< of the pulse: so many were acted on
  generation gen_ = generation::invalid;
  std::vector<pnn>
      sharers_;  ///< of the content as the last recovery committed it: the members of then
  /// gen_ is that of a recovery's commit here, not of the map it was opened under.
  bool committed_ = false;
  /// The last commit was of a recovery of floe's nodes alone: records may name an owner that is not in the map any more.
  bool equal_ = false;
  content_past past_;  ///< of a content with transactions; also in the file
  recovery_transaction transaction_;
  std::vector<replier> freeze_waiters_;
  std::vector<db_peer_packet> deferred_;  ///< records that arrived while frozen
  std::vector<db_control> until_thaw_;  ///< reads and transactions that a frozen database lets wait
  std::vector<db_control> muted_;       ///< of holders, until it is known whether this node counts
  std::uint64_t thaw_count_ = 0;        ///< what the one before has begun is left to the next

  // records, their queues and their ways
  lock_table locks_;
  pnn given_to_ = pnn::unknown;         ///< the record whose queue is being served, in this turn
  std::vector<queued_request> queued_;  ///< what advance() shows to the rules; kept for its memory
  record_requests requests_{env_};
  std::uint64_t migrations_done_ = 0, migrations_resent_ = 0;
  bool ticking_ = false;
  hot_keys hot_;  ///< records that come here and go
  record_stays stays_;

  // the parts
  database_port port_{env_,      config_, view_,       node_, self(),   store_, store_use_,
                      settings_, freeze_, own_freeze_, gen_,  storage_, meter_};
  storage_trouble storage_{port_};
  group_commits groups_{port_};
  change_counter changes_{port_};
  inherited_history history_{port_, past_};
  read_only_copies copies_{port_, *this};
  vacuuming vacuum_{port_, *this, copies_};
  hot_records table_{port_, *this, locks_, copies_, stays_};
  client_commit commit_{port_, *this};
  content_damage damage_{port_};
  content_sums sums_{port_};
  content_sender sender_{port_};
  push_receiver pushes_{port_};
  copy_filler filling_{port_};
  holder_wait holders_{port_};
  waiting_thaws thaws_{port_};
};

}  // namespace floe
