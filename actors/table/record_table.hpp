#pragma once
/// The node's side of the record table of one volatile database: puts records in, calls them back, takes them out, and
/// looks at what clients have done. It decides nothing, and never waits.
///
/// Trust: a client can write anything anywhere into the memory. What describes the memory (key, chunk, capacity, rsn at
/// the beginning, life) is therefore kept here a second time, and nothing else is used. What clients are there to write
/// (lock word, current index, length, data) is copied once, checked, then used; a slot that makes no sense is `broken`:
/// the caller drops it, logs it, and disconnects who held it. The worst that a client can do is to spoil the content of
/// records of this database, which it may write anyway, and to disturb other clients of this node.
///
/// A record in the table is the newest copy there is. Nobody may read or write the store's copy before `take`.
#include <bit>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "actors/table/chunk_pool.hpp"
#include "actors/table/memory.hpp"

namespace floe {

enum class promote_refusal : std::uint8_t {
  closed,
  too_large,  ///< stays outside the table
  set_full,   ///< all slots that this key may have are taken: evict one of `set_of(key)`
  area_full,  ///< evict anything
};

struct table_ticket {  ///< where a record has been put; a client that is granted its lock is told
  std::uint32_t slot = 0;
  std::uint32_t life = 0;
};

/// A record as the table had it.
struct table_record {
  bytes key;
  std::uint64_t rsn = 0;
  std::uint32_t flags = 0;
  bytes data;
  bool changed = false;  ///< since the node has last looked
};

enum class slot_state : std::uint8_t {
  free,    ///< nobody holds it
  held,    ///< see `holder`
  broken,  ///< the words make no sense
};
struct slot_look {
  slot_state state = slot_state::free;
  table_holder holder = table_holder::none;
};

struct table_lock_info {
  byte_view key;
  std::uint32_t slot;
  table_holder holder;
  std::uint64_t since_ms;  ///< of the holder's monotonic clock, as the holder says
  bool recalled;
};

/// Lets a view of a key be looked up.
struct key_hash_in_table {
  using is_transparent = void;
  std::size_t operator()(byte_view key) const { return table_hash(key); }
};

class record_table {
 public:
  explicit record_table(std::shared_ptr<table_memory>);

  const std::shared_ptr<table_memory>& memory() const { return memory_; }

  // --- clients
  /// A number that no client of this table has and no slot is still kept back for; 0: there are too many clients. The
  /// process is shown to other clients that wait for it.
  std::uint32_t admit(std::int32_t process = 0);
  bool admitted(std::uint32_t client) const { return clients_.contains(client); }
  std::size_t clients() const { return clients_.size(); }
  /// The client is gone: what it held is free, where it waited is empty, sleepers are woken. With `runs_on` its process
  /// lives and may still write (it was disconnected, not killed): slots that it held are emptied and kept back until
  /// `forgive`. Returns the slots that it held, still filled; those that must be emptied are recalled.
  std::vector<std::uint32_t> clear(std::uint32_t client, bool runs_on);
  /// The process of a client that was cleared has ended: what was kept back for it can be used again.
  void forgive(std::uint32_t client);

  /// Clients lock and store here until then (microseconds, monotonic); at first for ever. To be renewed in time.
  void answer_for_until(std::uint64_t us);

  // --- records
  std::optional<std::uint32_t> find(byte_view key) const;
  std::size_t records() const { return by_key_.size(); }
  const bytes& key_of(std::uint32_t slot) const { return entries_[slot].key; }
  /// Puts a record in, with its lock granted to a thread of a client, or free.
  std::expected<table_ticket, promote_refusal> promote(byte_view key, std::uint64_t rsn,
                                                       std::uint32_t flags, byte_view data,
                                                       table_holder);
  /// Puts a record in that is only read from: nobody can lock it here, as if it were recalled. It leaves by `drop`.
  std::expected<table_ticket, promote_refusal> show(byte_view key, std::uint64_t rsn,
                                                    std::uint32_t flags, byte_view data);
  bool is_shown(std::uint32_t slot) const { return entries_[slot].shown; }
  /// Filled slots that the key may have, by how much they were used lately: coldest first.
  std::vector<std::uint32_t> victims(byte_view key) const;
  /// Of the whole table.
  std::optional<std::uint32_t> coldest() const;
  /// From now on nobody can lock it anew; who waits for it is woken and asks the node.
  slot_look recall(std::uint32_t slot);
  bool recalled(std::uint32_t slot) const { return entries_[slot].recalled; }
  const std::vector<std::uint32_t>& recalls() const { return recalls_; }
  std::uint64_t recalled_ever() const { return recalled_ever_; }
  /// Takes off the lock of a holder that is not connected: it has written the word, and cannot confirm it any more.
  slot_look look(std::uint32_t slot);
  /// The end of a record's stay: only if recalled and free, or held by `by`, whose lock the caller takes over. Nothing:
  /// still held, or broken (see `look`).
  std::optional<table_record> take(std::uint32_t slot, table_holder by = table_holder::none);
  /// What `take` would return: of a recalled and free slot, or of one whose holder waits for us. Nothing: broken.
  std::optional<table_record> peek(std::uint32_t slot) const;
  /// Whoever the lock word names, without a check.
  table_holder holder_seen(std::uint32_t slot) const;
  std::uint64_t locks_of(std::uint32_t slot) const { return memory_->slot(slot).locks.load(); }
  /// Empties a broken slot without reading it. The store's copy counts again.
  void drop(std::uint32_t slot);
  /// Of so many looks in this life each has found that somebody has read it without a lock since the one before.
  std::uint64_t look_for_reads(std::uint32_t slot);
  /// How often it was locked since the last `cool`, and found to be read.
  std::uint64_t used_lately(std::uint32_t slot) const;

  // --- all of it
  /// No lock succeeds any more; says whether somebody holds one, as seen after the closing.
  bool close();
  /// The same in two steps, for simulations in which clients act between them: nothing until it is done.
  std::optional<bool> close_step();
  void reopen();
  bool closed() const { return closed_; }
  void for_each_holder(const std::function<void(const table_lock_info&)>&) const;
  bool any_holder() const;
  /// Who stands in a slot's queue. It may be gone when it is read.
  void for_each_waiter(const std::function<void(std::uint32_t slot, table_holder)>&) const;
  std::vector<std::uint32_t> filled() const;
  /// What was stored since the last look, without disturbing anybody. A record that is being written this very moment is
  /// left for the next time. Broken ones are returned. What `keep` refuses counts as not looked at.
  using keep_record = std::function<bool(const table_record&)>;
  std::vector<std::uint32_t> collect(const keep_record&);
  /// The same for one record. Kept, too: nothing was stored since.
  enum class collected : std::uint8_t { kept, not_kept, broken };
  collected collect(std::uint32_t slot, const keep_record&);
  /// Halves what is remembered of how hot records were.
  void cool();
  /// Locks of all clients so far, by their own counting.
  std::uint64_t locks() const;
  std::uint64_t sequence_number() const { return memory_->stores(); }
  /// A store or give-away that did not go through the table.
  void count_change() { memory_->count_store(0); }

 private:
  struct entry {
    std::uint32_t life = 0;  ///< odd: filled
    bytes key;
    std::uint64_t hash = 0;
    std::uint64_t base_rsn = 0;
    std::uint32_t flags = 0;
    std::uint32_t chunk = 0;
    unsigned order = 0;
    std::uint32_t capacity = 0;
    std::uint64_t seen_stores = 0;
    std::uint64_t seen_locks = 0, heat = 0;
    std::uint64_t reads = 0, seen_reads = 0;  ///< see look_for_reads
    std::uint32_t kept_back_for = 0;          ///< a client that may still write here; 0: nobody
    bool recalled = false;
    bool shown = false;  ///< only read from; recalled as well
    bool filled() const { return (life & 1) != 0; }
  };
  enum class copied : std::uint8_t { good, disturbed, broken };
  std::expected<table_ticket, promote_refusal> fill(byte_view key, std::uint64_t rsn,
                                                    std::uint32_t flags, byte_view data,
                                                    std::uint64_t lock_bits, bool shown);
  copied copy(const entry&, std::uint32_t slot, table_record&, std::uint64_t& stores) const;
  void empty(std::uint32_t slot);
  void wake_all(std::uint32_t slot);
  /// The same after a change of the lock word that said `before`: nobody is woken where nobody has said that it sleeps.
  void wake_waiters(std::uint32_t slot, std::uint64_t before);
  /// In the order of slots; f may empty the slot that it is given.
  template <class F>
  void each_filled(F&& f) const {
    for (std::size_t i = 0; i < filled_.size(); ++i)
      for (auto bits = filled_[i]; bits != 0; bits &= bits - 1)
        f(static_cast<std::uint32_t>(i * 64 + static_cast<std::size_t>(std::countr_zero(bits))));
  }
  void mark_filled(std::uint32_t slot, bool is) {
    const auto bit = std::uint64_t{1} << slot % 64;
    filled_[slot / 64] = is ? filled_[slot / 64] | bit : filled_[slot / 64] & ~bit;
  }

  std::shared_ptr<table_memory> memory_;
  chunk_pool pool_;
  std::vector<entry> entries_;
  std::vector<std::uint64_t> filled_;  ///< a bit for each slot
  std::unordered_map<bytes, std::uint32_t, key_hash_in_table, std::equal_to<>> by_key_;
  std::vector<std::uint32_t> recalls_;
  std::uint64_t recalled_ever_ = 0;
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> kept_back_;
  std::unordered_set<std::uint32_t> clients_;
  std::vector<bool> place_taken_;  ///< places of clients that are here, or whose process runs on
  std::uint32_t last_client_ = 0;
  std::size_t usual_size_ =
      0;  ///< of records that came with data lately: the largest, and less and less of it
  bool closed_ = false;
  std::optional<bool> looked_too_early_;  ///< by a mutant
};

/// Wakes sleepers of that word, in whatever process they are.
void futex_wake(std::atomic<std::uint32_t>& word, std::uint32_t bits, int how_many);

}  // namespace floe
