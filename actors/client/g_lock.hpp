#pragma once
/// CTDB's cluster-wide locks between clients: records of g_lock.tdb that list who holds them, in
/// the format that CTDB's own tool writes, so that both exclude each other (Samba
/// ctdb/client/client_db.c, ctdb_g_lock_lock). smbd keeps another layout under the same names: it
/// and this do not understand each other's records.
///
/// A holder that died is found by asking its node, and dropped: CTDB's programs are known by their
/// process id, clients of this library by a registration too, so that several of one process can be
/// told apart.
#include "actors/client/records.hpp"
#include "protocol/rules/g_lock.hpp"

namespace floe {

struct held_g_lock {
  db_id db{0};  ///< g_lock.tdb
  bytes name;
  server_id owner;
};

/// Waits for other holders, whose end nobody announces: it looks again after a while, at most 50
/// ms. When `patience` has ended the error is timed_out and names a holder.
void take_g_lock(client&, byte_view name, g_lock_type, duration patience,
                 when_done<held_g_lock> done);

/// Whether the lock is there: its record is of a volatile database, and goes with a node that is stopped or banned.
void still_held(client&, const held_g_lock&, duration patience, when_done<bool> done);

/// What is not there any more (a recovery without this node, say) is no error.
void release_g_lock(client&, const held_g_lock&, duration patience, when_done<void> done);

}  // namespace floe
