/// libtdb's functions about files as such: opening, closing, questions, settings.
#include <sys/stat.h>

#include "actors/tdb_bridge/open_databases.hpp"
#include "actors/tdb_bridge/real_library.hpp"

using floe::bridge::ours;
using floe::bridge::served;

#define EXPORT extern "C" __attribute__((visibility("default")))

// --- open and close ----------------------------------------------------------------------------------------------

EXPORT tdb_context* tdb_open_ex(const char* name, int hash_size, int tdb_flags, int open_flags,
                                mode_t mode, const tdb_logging_context* log, tdb_hash_func hash) {
  const auto made = floe::bridge::open_database(name, hash_size, tdb_flags, open_flags, log);
  if (made.for_us) return made.made;
  return REAL(tdb_open_ex)(name, hash_size, tdb_flags, open_flags, mode, log, hash);
}

EXPORT tdb_context* tdb_open(const char* name, int hash_size, int tdb_flags, int open_flags,
                             mode_t mode) {
  const auto made = floe::bridge::open_database(name, hash_size, tdb_flags, open_flags, nullptr);
  if (made.for_us) return made.made;
  return REAL(tdb_open)(name, hash_size, tdb_flags, open_flags, mode);
}

EXPORT int tdb_close(tdb_context* t) {
  if (!ours(t)) return REAL(tdb_close)(t);
  floe::bridge::close_database(t);
  return 0;
}

EXPORT int tdb_reopen(tdb_context* t) {
  if (auto* d = ours(t)) return d->touch();
  return REAL(tdb_reopen)(t);
}

/// Called in the child of a fork, while it is still root: a good moment to connect.
EXPORT int tdb_reopen_all(int parent_longlived) {
  const int real = REAL(tdb_reopen_all)(parent_longlived);
  return floe::bridge::touch_all() == 0 ? real : -1;
}

// --- questions ---------------------------------------------------------------------------------------------------

EXPORT TDB_ERROR tdb_error(tdb_context* t) {
  if (auto* d = ours(t)) return d->error();
  return REAL(tdb_error)(t);
}

EXPORT const char* tdb_errorstr(tdb_context* t) {
  auto* d = ours(t);
  if (!d) return REAL(tdb_errorstr)(t);
  switch (d->error()) {
    case TDB_SUCCESS: return "Success";
    case TDB_ERR_CORRUPT: return "The database is damaged";
    case TDB_ERR_IO: return "The node cannot be asked, or could not do it";
    case TDB_ERR_LOCK: return "Not locked";
    case TDB_ERR_OOM: return "Out of memory";
    case TDB_ERR_EXISTS: return "There is such a record";
    case TDB_ERR_NOLOCK: return "The lock is not held";
    case TDB_ERR_LOCK_TIMEOUT: return "Not locked in time";
    case TDB_ERR_NOEXIST: return "There is no such record";
    case TDB_ERR_EINVAL: return "This makes no sense";
    case TDB_ERR_RDONLY: return "It may not be written so";
    case TDB_ERR_NESTING: return "A transaction is open";
  }
  return "Unknown error";
}

EXPORT const char* tdb_name(tdb_context* t) {
  if (auto* d = ours(t)) return d->options().path.c_str();
  return REAL(tdb_name)(t);
}

EXPORT int tdb_fd(tdb_context* t) {
  if (auto* d = ours(t)) return d->descriptor();
  return REAL(tdb_fd)(t);
}

EXPORT int tdb_get_seqnum(tdb_context* t) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->sequence_number(); });
  return REAL(tdb_get_seqnum)(t);
}

/// The node counts in any case.
EXPORT void tdb_enable_seqnum(tdb_context* t) {
  if (!ours(t)) REAL(tdb_enable_seqnum)(t);
}
EXPORT void tdb_increment_seqnum_nonblock(tdb_context* t) {
  if (!ours(t)) REAL(tdb_increment_seqnum_nonblock)(t);
}

EXPORT int tdb_hash_size(tdb_context* t) {
  if (auto* d = ours(t)) return d->options().hash_size;
  return REAL(tdb_hash_size)(t);
}

EXPORT std::size_t tdb_map_size(tdb_context* t) {
  auto* d = ours(t);
  if (!d) return REAL(tdb_map_size)(t);
  struct stat s {};
  return ::fstat(d->descriptor(), &s) == 0 ? static_cast<std::size_t>(s.st_size) : 0;
}

EXPORT int tdb_get_flags(tdb_context* t) {
  if (auto* d = ours(t)) return d->options().tdb_flags;
  return REAL(tdb_get_flags)(t);
}

// --- settings ----------------------------------------------------------------------------------------------------

EXPORT void tdb_add_flags(tdb_context* t, unsigned flag) {
  if (auto* d = ours(t))
    d->options().tdb_flags |= static_cast<int>(flag);
  else
    REAL(tdb_add_flags)(t, flag);
}

EXPORT void tdb_remove_flags(tdb_context* t, unsigned flag) {
  if (auto* d = ours(t))
    d->options().tdb_flags &= ~static_cast<int>(flag);
  else
    REAL(tdb_remove_flags)(t, flag);
}

EXPORT void tdb_set_max_dead(tdb_context* t, int n) {
  if (!ours(t)) REAL(tdb_set_max_dead)(t, n);
}

/// A signal does not end the wait for a lock: the node ends it, or grants it.
EXPORT void tdb_setalarm_sigptr(tdb_context* t, volatile sig_atomic_t* p) {
  if (!ours(t)) REAL(tdb_setalarm_sigptr)(t, p);
}

EXPORT tdb_log_func tdb_log_fn(tdb_context* t) {
  if (auto* d = ours(t)) return d->options().log.log_fn;
  return REAL(tdb_log_fn)(t);
}

EXPORT void* tdb_get_logging_private(tdb_context* t) {
  if (auto* d = ours(t)) return d->options().log.log_private;
  return REAL(tdb_get_logging_private)(t);
}

EXPORT void tdb_set_logging_function(tdb_context* t, const tdb_logging_context* log) {
  if (auto* d = ours(t))
    d->options().log = *log;
  else
    REAL(tdb_set_logging_function)(t, log);
}

EXPORT void tdb_logging_function(tdb_context* t, tdb_log_func run) {
  if (auto* d = ours(t))
    d->options().log.log_fn = run;
  else
    REAL(tdb_logging_function)(t, run);
}

// --- what the file of a TDB has, and a database of a node has not ----------------------------------------------------

EXPORT int tdb_freelist_size(tdb_context* t) {
  if (ours(t)) return 0;
  return REAL(tdb_freelist_size)(t);
}

EXPORT int tdb_printfreelist(tdb_context* t) {
  if (ours(t)) return 0;
  return REAL(tdb_printfreelist)(t);
}

EXPORT int tdb_validate_freelist(tdb_context* t, int* entries) {
  if (!ours(t)) return REAL(tdb_validate_freelist)(t, entries);
  if (entries) *entries = 0;
  return 0;
}

EXPORT int tdb_repack(tdb_context* t) {
  if (ours(t)) return 0;
  return REAL(tdb_repack)(t);
}
