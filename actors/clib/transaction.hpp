#pragma once
/// A transaction on a persistent or replicated database: the cluster-wide lock of its transactions, changes that are collected
/// here, and one TRANS3_COMMIT. The blocking form of what actors/client/transaction.hpp does; the promises are the same.
///
///   look up ► take the lock ► read the number ► (reads, stores) ► commit ─► done
///                                                                   │ a recovery cut it
///                                                                   └► number as before: send again, five times at most
///                                                                      number higher: are our records there?
#include <map>
#include <optional>

#include "actors/clib/connection.hpp"
#include "actors/clib/records.hpp"
#include "protocol/rules/g_lock.hpp"

namespace floe::clib {

class transaction {
 public:
  /// `at_once`: another transaction is not waited for.
  static outcome<std::unique_ptr<transaction>> start(node_connection&, db_id, limit, bool at_once);
  ~transaction();
  transaction(const transaction&) = delete;

  outcome<seen_record> read(byte_view key);
  outcome<void> store(byte_view key, byte_view data);
  outcome<void> commit(limit);

 private:
  struct change {
    record_header header;
    bytes data;
  };
  struct number_record {
    record_header header;
    std::uint64_t number = 0;
  };
  transaction(node_connection& of, std::shared_ptr<channel> line, db_id db)
      : of_(&of), line_(std::move(line)), db_(db) {}

  outcome<void> take_lock(limit, bool at_once);
  outcome<std::optional<server_id>> try_lock(const std::vector<server_id>& dead, limit);
  outcome<bool> alive(const server_id&, limit);
  outcome<void> release(limit);
  outcome<seen_record> present(byte_view key, limit);
  outcome<number_record> number_now(limit);
  outcome<void> still_ours();
  bytes encode_changes(const number_record& before) const;
  outcome<void> send_until_known(const bytes& records, std::uint64_t before, limit);
  outcome<std::uint64_t> database_number(limit);
  outcome<void> compare(std::uint64_t before, std::uint64_t now, limit);

  node_connection* of_;
  std::shared_ptr<channel> line_;
  db_id db_;
  db_id lock_db_{0};
  server_id owner_;
  bool locked_ = false;
  std::uint64_t began_at_ = 0;
  std::map<bytes, change> changes_;
};

}  // namespace floe::clib
