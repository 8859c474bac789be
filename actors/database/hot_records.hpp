#pragma once
/// The record table of one database (actors/table/README.md): records in memory that clients of this node share with it. A
/// record in the table is the newest copy; the store's is behind until it is taken out. It is made when the first client
/// asks for it; until then everything here finds nothing.
///
/// Files: hot_records.cpp (what goes in and comes out), hot_copies.cpp (what is only read from there), table_clients.cpp
/// (who may use it), table_freeze.cpp (what a freeze does with it), table_holders.cpp (who holds what there).
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/database/database_port.hpp"
#include "actors/database/lock_table.hpp"
#include "actors/database/open_table.hpp"
#include "actors/database/read_only_copies.hpp"
#include "actors/database/record_keeper.hpp"
#include "protocol/rules/stay.hpp"

namespace floe {

/// Who waits for a lock in the table for longer than a moment.
struct table_waiting {
  bytes key;
  client_ref client;
  duration waited{};
  std::string why;
};

class hot_records {
 public:
  hot_records(const database_port& port, record_keeper& records, lock_table& locks,
              const read_only_copies& copies, const record_stays& stays)
      : port_(port), records_(records), locks_(locks), copies_(copies), stays_(stays) {}

  // ---- the queue of a key ----
  /// The lock is granted in the table instead of here, if the client can use it and there is room.
  bool grant(const bytes& key, lock_waiter&);
  /// Whether the queue of the key has to wait because the record is in the table. Requests that can use the table are sent
  /// there; for all others it is called back, at once or when it has stayed long enough.
  bool keeps_waiting(const bytes& key, lock_table::entry&);
  /// Calls the record back. True: it is not in the table (any more), and the store has its newest content.
  bool take_out(const bytes& key);
  enum class handed_over : std::uint8_t { not_held, cannot_store, done };
  /// A record that a client's thread holds in the table, which wants to lock it by number.
  handed_over hand_over(std::uint64_t client, const bytes& key, std::uint32_t thread);

  // ---- what is only read from there ----
  /// For a client that could have read it there. What is only looked at takes nobody's place.
  void show(const bytes& key, const lock_waiter&, const record&, bool found);
  /// What the store has is about to change.
  void show_no_more(byte_view key);

  // ---- as time goes by ----
  /// Clients have let go of records, have died, or it is time to look whether they have.
  void look_at_recalls(const db_table_rung&);
  void look_later();
  void on(const db_table_tick&);
  /// The time for which a record stays is over.
  void on(const db_table_recall&);
  /// What was stored in the table goes into the store; the records stay where they are.
  void collect();
  /// Clients may go on in the table for a while; not on a node that is cut off, or has a new map: they ask it, and it waits.
  void answer();
  void count_change() {
    if (open_) open_->table->count_change();
  }

  // ---- who may use it ----
  void set(const db_table_rules&);
  void admit(db_control&);
  /// `has_unmapped`: it goes on living, and has given its mapping up. True: what it held is free.
  bool client_gone(std::uint64_t client, bool has_unmapped);

  // ---- freezes, recoveries and ends ----
  /// No lock succeeds from now on; says whether somebody holds one.
  bool close();
  /// Frozen: nobody holds anything, and everything is in the store before it is read or replaced. What a full disk refuses
  /// stays in the table, is noted as changed, and is given away from there.
  void empty();
  /// For a recovery: what could not be taken into the store is the newest there is of those records all the same.
  std::vector<record> left() const;
  /// The content has been replaced: what could not be taken into the store before is of before.
  void drop_content();
  void reopen();
  /// A new map is set, and this database not recovered yet: what is ours may be so in a content that does not count.
  void close_that_of_before();
  /// The node ends, or the database: nobody locks in the table any more, and who holds a lock asks before he stores.
  void close_for_good();

  // ---- who holds what ----
  bool has(byte_view key) const;
  bool has_records() const;
  bool any_holder() const;
  std::uint64_t locks() const;
  void reset_counters() { locks_before_reset_ += locks(); }
  /// Nobody: the record is not in the table, or free there.
  const client_ref* client_holding(byte_view key) const;
  std::vector<table_waiting> waiters() const;
  std::vector<key_holder> holders() const;
  void report(database_report&) const;

 private:
  /// `away`: so long it had been elsewhere for whoever gets it now.
  bool put(const bytes& key, const record&, table_holder, duration away);
  void put_to_read(const bytes& key, const record&);
  bool make_room(const bytes& key, promote_refusal);
  bool keep_and_take(std::uint32_t slot, table_holder by);
  bool keep(const table_record&);
  void remember(const bytes& key, std::uint32_t slot, const table_stay&);
  void drop_broken(std::uint32_t slot);
  void answer_readers(const bytes& key, lock_table::entry&, std::uint32_t slot);
  bool is_first(const lock_waiter&, const lock_table::entry&) const;
  bool goes_from_hand_to_hand(const bytes& key) const;
  void send_to_table(lock_table::entry&);
  bool is_only_shown(const bytes& key, const lock_table::entry&, std::uint32_t slot);
  void recall_all();
  void tick_later();
  void look_who_waits();
  std::optional<std::string> open();
  descriptors_ptr memory_for(open_table::user&) const;
  /// Tells the witness what simulated clients do in the record table.
  std::function<void(shared_in_process::act, byte_view, std::uint64_t, bool)> sight() const;

  const database_port& port_;
  record_keeper& records_;
  lock_table& locks_;
  const read_only_copies& copies_;
  const record_stays& stays_;
  std::unique_ptr<open_table> open_;  ///< from the moment a client asks for it
  db_table_rules rules_{false, std::chrono::milliseconds(3)};
  std::uint64_t locks_before_reset_ = 0;
  bool looks_planned_ = false;  ///< at records that were called back
};

}  // namespace floe
