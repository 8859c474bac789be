#pragma once
/// Records through a client: floe's record controls, which stand in for a CTDB client's locking of
/// a database file. A lock belongs to the connection that took it; when the connection ends, the
/// lock is gone.
///
/// A client with `record_tables` does the same in shared memory (client_tables.hpp), where the node has put the record.
///
/// Every answer comes through `done`. A lock that the node grants after the caller's patience has
/// ended is given back by itself.
#include <cstdint>
#include <functional>

#include "actors/client/client.hpp"
#include "protocol/record.hpp"

namespace floe {

template <class T>
using when_done = std::function<void(const result<T>&)>;

/// Makes the database if need be, and answers with its id. Waits on the node's side while a
/// recovery runs.
void attach(client&, byte_view name, db_kind, duration patience, when_done<db_id> done);

/// SET_DB_READONLY: this node may have read-only copies of records of others, and others of this node's. Of a volatile
/// database, until the node ends; to be said to every node that is to have some.
void allow_copies(client&, db_id, duration patience, when_done<void> done);

/// The id of a database that the node has, by its name or by "0x" and its id.
void find_database(client&, byte_view name_or_id, duration patience, when_done<db_id> done);

struct locked_record {
  std::uint64_t lock_id = 0;
  record_header header;
  bytes data;
};
/// Waits in the node's queue for up to `patience`; then the error is timed_out, with the node's
/// words about why.
void lock_record(client&, db_id, byte_view key, duration patience, when_done<locked_record> done);

struct read_record_answer {
  bool found = false;
  record_header header;
  bytes data;
};
enum class read_from : std::uint8_t {
  owner,  ///< the record comes here first, or a read-only copy where the database allows them (allow_copies):
  ///< nobody has a newer one
  settled,  ///< this node's copy, after the client of this node that holds it, and not in a recovery
  this_node,  ///< this node's copy as it is, for diagnosis
};
void read_record(client&, db_id, byte_view key, read_from, duration patience,
                 when_done<read_record_answer> done);

/// Without a look into the record table.
void read_by_socket(client&, db_id, byte_view key, read_from, duration patience,
                    when_done<read_record_answer> done);

enum class after_write : std::uint8_t { keep_lock, unlock };
void store_record(client&, std::uint64_t lock_id, byte_view data, after_write, duration patience,
                  when_done<void> done);
void delete_record(client&, std::uint64_t lock_id, after_write, duration patience,
                   when_done<void> done);
void unlock_record(client&, std::uint64_t lock_id, duration patience, when_done<void> done);

}  // namespace floe
