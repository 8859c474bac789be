#pragma once
/// Who waits for whom in a circle: record locks, databases that cannot freeze, databases that are
/// frozen, and the barrier of the diagnostic mode in which all freeze before any recovers.
///
///     client ──waits for a record of──► client that holds it
///     client ──waits for a record of──► database that is frozen or recovers
///     database ──cannot freeze for────► client that holds a lock in it
///     database ──may not go on before─► another database that cannot freeze    (the barrier)
///
/// Databases count once for the whole cluster: a database is not recovered before it is frozen on
/// every node. Not in CTDB, where locks belong to processes and nobody knows them.
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"

namespace floe {

struct lock_client {
  pnn node{0};
  std::uint64_t client = 0;  ///< its number at that node; together they identify it
  std::int64_t pid = 0;
  std::string name{};
};

struct lock_holding {
  lock_client who{};
  db_id db{0};
  bytes key{};
};

struct blocked_request {
  enum class cause : std::uint8_t {
    holder,               ///< of the same key
    frozen_database,      ///< freezing or frozen: nothing is granted
    recovering_database,  ///< past the freeze
    freeze_barrier,       ///< frozen, and held until all others are
  };
  lock_client who{};
  db_id db{0};
  bytes key{};
  cause blocked_by{};
  lock_client holder{};  ///< if that is the cause
};

/// A client or a database.
struct wait_party {
  bool is_client = false;
  lock_client client{};
  db_id db{0};
};

struct wait_edge {
  enum class kind : std::uint8_t {
    record_held,          ///< from: a client, to: a client that holds `key` of `db`
    database_frozen,      ///< from: a client that wants `key`, to: `db`
    database_recovering,  ///< from: a client that wants `key`, to: `db`
    cannot_freeze,        ///< from: `db`, to: a client that holds `key` in it
    barrier,              ///< from: a frozen database, to: `db`, which cannot freeze
  };
  wait_party from{}, to{};
  kind why{};
  db_id db{0};
  bytes key{};
};

/// A cycle, each edge beginning where the one before it ends, the last ending where the first
/// begins, and a client first; empty if there is none.
std::vector<wait_edge> find_deadlock(std::span<const lock_holding> held,
                                     std::span<const blocked_request> waiting);

/// "smbd (pid 4711, node 0) waits for "foo" of brlock.tdb, which is frozen"
std::string describe(const wait_edge&, const std::map<db_id, std::string>& names);

}  // namespace floe
