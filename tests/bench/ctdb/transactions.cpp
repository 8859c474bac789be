/// Transactions of clients, as CTDB's own programs make them (Samba ctdb/client/client_db.c): a record of a volatile database
/// says who has the cluster-wide lock; whoever has it commits, and takes itself out again. The same code for both kinds but
/// for how a record of the volatile database is locked.
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "connection.hpp"
#include "load.hpp"

namespace floe::bench {
namespace {

constexpr std::uint32_t db_attach_persistent = 61, db_attach_replicated = 150, get_db_seqnum = 120,
                        trans3_commit = 119;
constexpr std::string_view number_key{"__db_sequence_number__", 23};  // with its NUL
constexpr int first_pause_us = 1000, longest_pause_us = 50'000;

class writer {
 public:
  writer(std::string_view kind, const std::string& socket, const std::string& database,
         bool replicated, int number)
      : node_(socket),
        locks_(open(kind, socket, "g_lock.tdb")),
        key_("transaction_" + database),
        me_("writer " + std::to_string(number)) {
    bytes name;
    put(name, database);
    name.push_back(std::byte{0});
    db_id_ = get<std::uint32_t>(
        node_.must(replicated ? db_attach_replicated : db_attach_persistent, name), 0);
  }

  void transact() {
    take_lock();
    commit();
    locks_->lock(key_);
    if (locks_->data() != me_) give_up("the transaction lock was lost");
    locks_->store_and_unlock("");
  }

 private:
  void take_lock() {
    for (int pause = first_pause_us;; pause = std::min(2 * pause, longest_pause_us)) {
      locks_->lock(key_);
      if (locks_->data().empty()) return locks_->store_and_unlock(me_);
      locks_->unlock();
      ::usleep(static_cast<useconds_t>(pause));
    }
  }

  void commit() {
    bytes id;
    put(id, std::uint64_t{db_id_});
    const auto before = get<std::uint64_t>(node_.must(get_db_seqnum, id), 0);
    bytes records;
    put(records, db_id_);
    put(records, std::uint32_t{2});
    add(records, me_, before + 1, value);
    const auto now = before + 1;
    add(records, number_key, now,
        {static_cast<const char*>(static_cast<const void*>(&now)), sizeof now});
    node_.must(trans3_commit, records);
  }

  /// A rec_data with a record's header: rsn u64, dmaster, reserved and flags u32, four octets of nothing.
  void add(bytes& to, std::string_view key, std::uint64_t rsn, std::string_view data) {
    constexpr std::size_t header = 24;
    put(to, static_cast<std::uint32_t>(16 + key.size() + header + data.size()));
    put(to, std::uint32_t{0});
    put(to, static_cast<std::uint32_t>(key.size()));
    put(to, static_cast<std::uint32_t>(header + data.size()));
    put(to, key);
    put(to, rsn);
    put(to, node_.pnn());
    for (int i = 0; i < 3; ++i) put(to, std::uint32_t{0});
    put(to, data);
  }

  connection node_;
  std::unique_ptr<access> locks_;
  std::uint32_t db_id_ = 0;
  std::string key_, me_;
};

}  // namespace

/// A process on each node, each with one transaction after the other.
int run_transactions(std::string_view kind, seconds span, bool replicated,
                     const std::string& database, const std::vector<std::string>& sockets) {
  const auto& all = in_processes(static_cast<int>(sockets.size()), false, [&](int i) {
    const auto w = std::make_shared<writer>(kind, sockets[static_cast<std::size_t>(i)], database,
                                            replicated, i);
    w->transact();
    return [=] { return repeat(span, [&] { w->transact(); }); };
  });
  std::printf("{\"operations\": %ld, \"seconds\": %.6f, \"longest_ms\": %.3f}\n",
              all.operations.load(), seconds(all.took).count(),
              static_cast<double>(all.longest_us.load()) / 1000);
  return 0;
}

}  // namespace floe::bench
