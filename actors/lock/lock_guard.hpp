#pragma once
/// The process that holds the cluster lock for a node. Its words:
///
///   LEASE_MS file CHECK_MS PATIENCE_MS PATH    locks byte 0 of the file
///   LEASE_MS run COMMAND [ARGUMENT...]         runs CTDB's kind of helper
///
/// Standard input: any byte from the node prolongs the lease; at its end, or when the lease is
/// over, the guard lets go. Standard output, one character and a text until the end of the line:
/// `0` the lock is held, `1` somebody else holds it, `3` error; after `0` perhaps `L`: the lock is
/// lost. Then the guard ends.
///
/// The file is locked as Samba's helper does it (ctdb_mutex_fcntl_helper, seen with strace: a POSIX
/// write lock of length 1 at byte 0, without waiting; mode 0600), so that nodes of both kinds
/// exclude each other. It is watched by a child: whether the path still names the file that is
/// locked, and whether the file system answers (it locks byte 1 for a moment, as Samba's does). A
/// child, because whoever asks a dead file system may never return.
namespace floe {

/// Runs until the lock is gone; the exit status. `words` end with a null pointer.
int lock_guard(int count, char** words);

}  // namespace floe
