#pragma once
/// A transaction on a persistent or replicated database: holds the cluster-wide lock of the
/// database's transactions, collects changes, and has them stored on all nodes at once, or on none.
///
///   transaction::start(c, db, 10s, [](const auto& t) {
///     (*t)->store("key", "value", 3s, [t = *t](const auto&) { t->commit(30s, [](const auto& r) {
///     ... }); });
///   });
///
/// A commit that a recovery cuts is looked after: it is sent again if it left no trace, five times
/// at most. So its answers are: done; refused, and then nothing of it is stored anywhere, or ever
/// will be; timed_out or disconnected, and then it is not known (all or nothing still holds).
///
/// What it has read must still be so when it commits: a recovery in between may have brought content
/// that this node did not have (a commit that another node had begun), and then it is refused. So a
/// transaction that only reads ends with commit, too, if it must know that it has seen one moment.
///
/// It ends with commit or cancel; when it is destroyed without, it is cancelled; it may outlive its
/// client, but not be used then. Needs a floe node (records are locked there), and excludes
/// transactions of CTDB's tool on other nodes. Sources: Samba ctdb/client/client_db.c
/// (ctdb_transaction_*).
#include <map>
#include <memory>
#include <optional>

#include "actors/client/g_lock.hpp"

namespace floe {

struct commit_result {
  std::uint64_t seqnum = 0;  ///< of the database, afterwards
  unsigned sends = 0;        ///< 0: there was nothing to change
};

class transaction : public std::enable_shared_from_this<transaction> {
 public:
  using ptr = std::shared_ptr<transaction>;
  enum class mode : std::uint8_t { read_write, read_only };

  /// Waits for transactions of others. Refused for volatile databases.
  static void start(client&, db_id, mode, duration patience, when_done<ptr> done);
  ~transaction();
  transaction(const transaction&) = delete;

  /// As this transaction has left it, else as it is stored; nothing: there is no such record.
  void fetch(byte_view key, duration patience, when_done<std::optional<bytes>> done);
  /// Empty data delete. A record that is so already is no change.
  void store(byte_view key, byte_view data, duration patience, when_done<void> done);
  void remove(byte_view key, duration patience, when_done<void> done) {
    store(key, {}, patience, std::move(done));
  }
  /// Gives the lock back in any case.
  void commit(duration patience, when_done<commit_result> done);
  void cancel(duration patience, when_done<void> done);

  db_id database() const { return db_; }
  std::size_t changes() const { return changes_.size(); }

 private:
  struct change {
    record_header header;
    bytes data;
  };
  struct committing;
  struct record_and_number {
    record_header header;
    std::uint64_t number = 0;
  };
  transaction(client& c, db_id db, mode m) : client_(&c), alive_(c.alive()), db_(db), mode_(m) {}
  void sequence_number(duration patience, when_done<record_and_number> done);
  void check_lock(duration patience, const when_done<ptr>& done);
  void present(byte_view key, duration patience, when_done<read_record_answer> done);
  void release(duration patience, std::function<void()> then);

  client* client_;
  std::weak_ptr<const void> alive_;  ///< the client
  db_id db_;
  mode mode_;
  std::optional<held_g_lock> lock_;
  std::uint64_t began_at_ = 0;  ///< the database's sequence number
  std::map<bytes, change> changes_;
};

}  // namespace floe
