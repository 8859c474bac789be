#pragma once
/// Who holds and who waits, per key of one database. Local lock requests, calls of local clients and requests of
/// other nodes stand in one queue per key, first come first served; a key that nobody holds, waits for or migrates
/// takes no memory. It decides nothing: the database actor asks for the front of a queue and acts.
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/parcel.hpp"
#include "actors/replier.hpp"
#include "actors/session/session_message.hpp"
#include "protocol/rules/record_queue.hpp"

namespace floe {

/// A granted record lock; its number is what the client names it by: database id in the upper half.
struct lock_holder {
  std::uint64_t lock_id;
  client_ref client;
  time_point since;
  usage_share share = {};
};

struct lock_waiter {
  std::uint64_t id = 0;
  record_use use{};
  client_ref client;  ///< of local ones
  parcel_ptr packet;  ///< the request
  pnn from{0};        ///< peer_call: the node it arrived from (not always the one that asks)
  generation gen = generation::invalid;  ///< the database's when it came in
  replier answer;                        ///< lock and read
  time_point since;
  timer_id deadline{0};
  std::uint32_t table_thread = 0;  ///< lock: the thread that can hold it in the record table
  bool noted = false;              ///< its wait is on the timeline
};

/// A record that is not here and has been asked for.
struct migration_request {
  reqid id{0};
  pnn to{0};
  generation gen = generation::invalid;
  time_point since;  ///< of the first request
  time_point sent;   ///< of the last one
  unsigned sends = 0;
  bool copy = false;  ///< a read-only copy was asked for
};

/// A lock that is held, here or in the record table, as reports and freezes see it.
struct key_holder {
  bytes key;
  client_ref client;
  duration held{};
};

class lock_table {
 public:
  struct entry {
    std::optional<lock_holder> holder;
    std::deque<lock_waiter> waiters;
    std::optional<migration_request> migration;
    std::optional<time_point> came;  ///< when it came here for those that waited
    bool no_copy = false;            ///< what was offered as a read-only copy was none
    bool looked_at_later = false;    ///< when it has stayed long enough
    bool idle() const { return !holder && waiters.empty() && !migration; }
  };

  entry* find(byte_view key) {
    auto i = entries_.find(bytes(key));
    return i == entries_.end() ? nullptr : &i->second;
  }
  entry& at(byte_view key) { return entries_[bytes(key)]; }
  /// Forgets the key if nothing is left of it.
  void tidy(byte_view key) {
    auto i = entries_.find(bytes(key));
    if (i != entries_.end() && i->second.idle()) entries_.erase(i);
  }

  /// A waiter with a deadline is known by a number.
  std::uint64_t number_waiter(byte_view key) {
    key_of_waiter_[++last_waiter_] = bytes(key);
    return last_waiter_;
  }
  void forget_number(const lock_waiter& w) {
    if (w.id) key_of_waiter_.erase(w.id);
  }
  /// Forgets the number.
  std::optional<bytes> take_key_of_waiter(std::uint64_t number);

  /// Of a lock that is to be granted: the client names it by that.
  std::uint64_t next_lock(db_id db) {
    return static_cast<std::uint64_t>(number(db)) << 32 | ++last_lock_;
  }
  void grant(const bytes& key, entry& e, lock_holder h) {
    key_of_lock_[h.lock_id] = &entries_.find(key)->first;
    e.holder = std::move(h);
  }
  /// The key of a granted lock, or nothing.
  const bytes* key_of(std::uint64_t lock_id) const {
    auto i = key_of_lock_.find(lock_id);
    return i == key_of_lock_.end() ? nullptr : i->second;
  }
  void release(entry& e) {
    key_of_lock_.erase(e.holder->lock_id);
    e.holder.reset();
  }
  /// Remembers that this client holds the key or waits for it: its end then needs no look at what others do.
  void concerns(std::uint64_t client, const bytes& key);
  /// Sorted; keys that it had to do with and no longer has may be among them. Forgets the client.
  std::vector<bytes> take_keys_of(std::uint64_t client);
  std::size_t holders() const { return key_of_lock_.size(); }
  bool empty() const { return entries_.empty(); }

  /// Keys at this moment, sorted, so that whatever walks over them does it in the same order in every run.
  std::vector<bytes> keys() const;
  const std::unordered_map<bytes, entry>& all() const { return entries_; }

 private:
  struct client_keys {
    std::vector<bytes> keys;
    std::size_t tidy_at = 64;
  };
  bool concerned(std::uint64_t client, const bytes& key) const;
  std::unordered_map<std::uint64_t, client_keys> keys_of_client_;
  std::unordered_map<bytes, entry> entries_;
  std::unordered_map<std::uint64_t, const bytes*>
      key_of_lock_;  ///< of entries_, which keep what is held
  std::unordered_map<std::uint64_t, bytes> key_of_waiter_;
  std::uint64_t last_waiter_ = 0;
  std::uint32_t last_lock_ = 0;
};

}  // namespace floe
