#ifndef FLOE_ASYNC_RECORDS_HPP
#define FLOE_ASYNC_RECORDS_HPP
/* What is held: record locks and transactions. Given out by client; part of floe/async.hpp. */
#include <floe/async/values.hpp>

#include <memory>

namespace floe::async {

namespace inside {
struct core;
struct held_lock;
struct open_transaction;
}  // namespace inside

/// A record that is locked in the whole cluster; unlocked when this is destroyed. It may be moved; one that was moved from,
/// or given back, is not held, and its functions throw std::logic_error.
class FLOE_ASYNC_API record_lock {
 public:
  /// For the library: nobody else can make one.
  explicit record_lock(std::unique_ptr<inside::held_lock>);
  ~record_lock();
  record_lock(record_lock&&) noexcept;
  record_lock& operator=(record_lock&&) noexcept;

  /// Whether it can be stored through: false once it was given back, or the connection that it was granted on has ended.
  bool held() const noexcept;
  /// What the record held when the lock was granted; valid as long as this lives. Empty also if there was no record.
  std::string_view data() const;
  record_header header() const;

  /// Answered when the node has it: whoever locks the record next sees it. No octets: as erase. Several may be under way,
  /// they are carried out in order. errc::not_stored: what was there is still there, and the lock is still held.
  void store(std::string_view data, limit, done<void>);
  void erase(limit, done<void>);
  /// The same and then unlock, in one request. From the call on this is not held any more; the lock is given back also if
  /// the store fails.
  void store_and_unlock(std::string_view data, limit, done<void>);
  void erase_and_unlock(limit, done<void>);
  /// errc::no_lock: it was lost meanwhile; what was stored before holds nevertheless. From the call on this is not held.
  void unlock(limit, done<void>);

 private:
  std::unique_ptr<inside::held_lock> is_;
};

struct committed {
  std::uint64_t sequence_number = 0;  ///< of the database, afterwards
  unsigned sends =
      0;  ///< how often a recovery made it necessary to send it; 0: nothing was to be changed
};

/// Stores in a persistent or replicated database that become true together, durably, on all nodes, or not at all. Until its
/// end transactions of others on the same database wait, in the whole cluster. Cancelled when this is destroyed without a
/// commit. One that was moved from or has ended throws std::logic_error.
class FLOE_ASYNC_API transaction {
 public:
  explicit transaction(std::unique_ptr<inside::open_transaction>);
  ~transaction();
  transaction(transaction&&) noexcept;
  transaction& operator=(transaction&&) noexcept;

  /// As this transaction has left it, else as it is stored; nothing: there is no such record.
  void fetch(std::string_view key, limit, done<std::optional<std::string>>);
  /// Kept by the client till the commit; no octets: as erase. Answered when the present record has been looked at: a store
  /// that changes nothing is none.
  void store(std::string_view key, std::string_view data, limit, done<void>);
  void erase(std::string_view key, limit, done<void>);
  /// How many records the commit would change.
  std::size_t changes() const;

  /// Ends it in any case. A commit that a recovery cuts is sent again, if it has left no trace. errc::refused: nothing of it is
  /// stored, or ever will be. errc::timed_out, disconnected: not known; all or nothing still holds. What it has read must
  /// still be so, or it is refused: so commit ends a transaction that only reads, too, if it must know that it saw one moment.
  void commit(limit, done<committed>);
  /// Answered when others can begin.
  void cancel(limit, done<void>);

 private:
  std::unique_ptr<inside::open_transaction> is_;
};

}  // namespace floe::async
#endif
