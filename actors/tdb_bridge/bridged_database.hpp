#pragma once
/// A database of a floe node behind libtdb's functions: a chain lock is the lock of the record, which brings it to this node; a
/// record in the file is its header (24 bytes) and its data; what the file holds is what this node has. The node decides what
/// a header says: of what is stored only the data count.
///
///   volatile     chainlock, fetch, store, unlock; reads without a lock see this node's copy, after who holds it, and wait out a
///                recovery; a walk shows this node's copies
///   persistent   reads and walks; writes go through a transaction of the whole cluster, one for each store if none is open
///
/// What makes no sense for a cluster (locking the whole file, wiping it behind the nodes' backs) fails with an error and a
/// line of log. A lost node: who holds a lock or waits for one has nothing to go on with, and the process ends as Samba's own
/// programs end when they lose their ctdbd; who holds nothing gets TDB_ERR_IO, and the node again when it is back.
///
/// Threads: as libtdb, one at a time for a context; different contexts share the node's connection freely.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/clib/include/floe/client.h"
#include "actors/tdb_bridge/change_number.hpp"
#include "actors/tdb_bridge/tdb_abi.hpp"

namespace floe::bridge {

struct open_options {
  std::string path;
  std::string name;
  int hash_size = 0;
  int tdb_flags = 0;
  bool only_read =
      false;  ///< opened so: writes and locks for them answer TDB_ERR_RDONLY, as in libtdb
  tdb_logging_context log{};
};

class bridged_database {
 public:
  /// `self` is what the program has as its context.
  bridged_database(tdb_context* self, open_options w) : self_(self), options_(std::move(w)) {}
  ~bridged_database();
  /// False: it cannot be opened, errno says why. Null for a node that cannot be reached.
  bool open(floe_connection*);
  bridged_database(const bridged_database&) = delete;

  // All return as libtdb's functions of these names do, and set error().
  int lock(TDB_DATA key, int timeout_ms);
  int unlock(TDB_DATA key);
  TDB_DATA fetch(TDB_DATA key);
  int parse(TDB_DATA key, tdb_parser, void*);
  bool exists(TDB_DATA key);
  int store(TDB_DATA key, const TDB_DATA* parts, int count, int flag);
  int append(TDB_DATA key, TDB_DATA data);
  int remove(TDB_DATA key);
  /// Stops when `visit` returns not 0; how many were shown, or -1.
  int walk(tdb_traverse_func visit, void*);
  int walk_chain(unsigned chain, tdb_traverse_func visit, void*);
  TDB_DATA first_key();
  TDB_DATA next_key(TDB_DATA key);
  int sequence_number();

  /// Whether it was opened to be written; else the error is set.
  bool may_change();

  bool in_transaction() const { return transaction_ != nullptr; }
  int begin(int timeout_ms);
  int commit();
  int cancel();

  /// Of libtdb's chains, in which the walk of one is asked for.
  unsigned chain_of(TDB_DATA key) const;

  /// For what is not served: sets the error, says so once a function.
  int refuse(TDB_ERROR, const char* function);
  /// For what a program cannot mean: sets the error, says why unless that was said last.
  int fail(TDB_ERROR, const char* why) noexcept;

  TDB_ERROR error() const { return error_; }
  const open_options& options() const { return options_; }
  open_options& options() { return options_; }
  int descriptor() const { return fd_; }
  /// In the child of a fork: its parent's locks and transaction are not its own.
  void forget_locks();
  /// Speaks to the node, so that a connection is made now, by who may.
  int touch();

 private:
  struct held_lock {
    floe_lock* lock;
    unsigned nested;
  };
  struct seen {
    bool there = false;
    std::string octets;  ///< header and data
  };
  held_lock* held(TDB_DATA key);
  /// False: error set.
  bool look(TDB_DATA key, bool also_ours, seen& out);
  std::optional<std::uint64_t> count_of_changes();
  void before_read();
  int write(TDB_DATA key, const std::string& data, int flag);
  int write_locked(floe_lock*, const std::string& data, int flag);
  int write_persistent(TDB_DATA key, const std::string& data, int flag);
  int failed(int code, const char* doing);
  void say(tdb_debug_level, const char* format, ...) __attribute__((format(printf, 3, 4)));

  floe_connection* node_ = nullptr;
  tdb_context* self_;
  open_options options_;
  floe_db db_ = 0;
  bool persistent_ = false;
  int fd_ = -1;  ///< of the file, only to be looked at
  TDB_ERROR error_ = TDB_SUCCESS;
  std::unordered_map<std::string, held_lock> locks_;
  floe_transaction* transaction_ = nullptr;
  std::vector<std::string> keys_;  ///< of a walk by firstkey and nextkey
  std::size_t next_key_ = 0;
  std::vector<const char*> refused_;
  std::string last_failure_;  ///< which is said once, however often it is met
  change_number changes_;
};

}  // namespace floe::bridge
