#pragma once
/// The binary interface of libtdb 1.4, as far as a library that stands in front of it needs it: types, numbers, and the
/// functions that it takes over. Facts: Samba lib/tdb/include/tdb.h. A test compares sizes, offsets and numbers with those of
/// Debian's <tdb.h>, and that every function which libtdb exports is taken over or needs no context.
#include <sys/types.h>
#include <csignal>
#include <cstddef>

extern "C" {

struct tdb_context;

struct TDB_DATA {
  unsigned char* dptr;
  std::size_t dsize;
};

enum TDB_ERROR {
  TDB_SUCCESS = 0,
  TDB_ERR_CORRUPT,
  TDB_ERR_IO,
  TDB_ERR_LOCK,
  TDB_ERR_OOM,
  TDB_ERR_EXISTS,
  TDB_ERR_NOLOCK,
  TDB_ERR_LOCK_TIMEOUT,
  TDB_ERR_NOEXIST,
  TDB_ERR_EINVAL,
  TDB_ERR_RDONLY,
  TDB_ERR_NESTING
};

enum tdb_debug_level { TDB_DEBUG_FATAL = 0, TDB_DEBUG_ERROR, TDB_DEBUG_WARNING, TDB_DEBUG_TRACE };

constexpr int TDB_INSERT = 2, TDB_MODIFY = 3;  // flags of a store; any other number: replace
constexpr int TDB_INTERNAL = 2;                // flag of an open: no file

using tdb_traverse_func = int (*)(tdb_context*, TDB_DATA, TDB_DATA, void*);
typedef void (*tdb_log_func)(tdb_context*, tdb_debug_level, const char*, ...)
    __attribute__((format(printf, 3, 4)));
using tdb_hash_func = unsigned int (*)(TDB_DATA*);
using tdb_parser = int (*)(TDB_DATA key, TDB_DATA data, void*);
using tdb_walk = void (*)(TDB_DATA key, TDB_DATA data, void*);

struct tdb_logging_context {
  tdb_log_func log_fn;
  void* log_private;
};

// open and close
tdb_context* tdb_open(const char* name, int hash_size, int tdb_flags, int open_flags, mode_t mode);
tdb_context* tdb_open_ex(const char* name, int hash_size, int tdb_flags, int open_flags,
                         mode_t mode, const tdb_logging_context*, tdb_hash_func);
int tdb_close(tdb_context*);
int tdb_reopen(tdb_context*);
int tdb_reopen_all(int parent_longlived);

// records
TDB_DATA tdb_fetch(tdb_context*, TDB_DATA key);
int tdb_parse_record(tdb_context*, TDB_DATA key, tdb_parser, void*);
int tdb_exists(tdb_context*, TDB_DATA key);
int tdb_store(tdb_context*, TDB_DATA key, TDB_DATA data, int flag);
int tdb_storev(tdb_context*, TDB_DATA key, const TDB_DATA* parts, int count, int flag);
int tdb_append(tdb_context*, TDB_DATA key, TDB_DATA data);
int tdb_delete(tdb_context*, TDB_DATA key);

// walks
TDB_DATA tdb_firstkey(tdb_context*);
TDB_DATA tdb_nextkey(tdb_context*, TDB_DATA key);
int tdb_traverse(tdb_context*, tdb_traverse_func, void*);
int tdb_traverse_read(tdb_context*, tdb_traverse_func, void*);
int tdb_traverse_chain(tdb_context*, unsigned int chain, tdb_traverse_func, void*);
int tdb_traverse_key_chain(tdb_context*, TDB_DATA key, tdb_traverse_func, void*);
int tdb_check(tdb_context*, tdb_parser, void*);
int tdb_rescue(tdb_context*, tdb_walk, void*);
int tdb_wipe_all(tdb_context*);
void tdb_dump_all(tdb_context*);
char* tdb_summary(tdb_context*);

// locks
int tdb_chainlock(tdb_context*, TDB_DATA key);
int tdb_chainlock_nonblock(tdb_context*, TDB_DATA key);
int tdb_chainunlock(tdb_context*, TDB_DATA key);
int tdb_chainlock_read(tdb_context*, TDB_DATA key);
int tdb_chainlock_read_nonblock(tdb_context*, TDB_DATA key);
int tdb_chainunlock_read(tdb_context*, TDB_DATA key);
int tdb_chainlock_mark(tdb_context*, TDB_DATA key);
int tdb_chainlock_unmark(tdb_context*, TDB_DATA key);
int tdb_lock_nonblock(tdb_context*, int list, int type);
int tdb_unlock(tdb_context*, int list, int type);
int tdb_lockall(tdb_context*);
int tdb_lockall_nonblock(tdb_context*);
int tdb_lockall_read(tdb_context*);
int tdb_lockall_read_nonblock(tdb_context*);
int tdb_lockall_mark(tdb_context*);
int tdb_lockall_unmark(tdb_context*);
int tdb_unlockall(tdb_context*);
int tdb_unlockall_read(tdb_context*);

// transactions
bool tdb_transaction_active(tdb_context*);
int tdb_transaction_start(tdb_context*);
int tdb_transaction_start_nonblock(tdb_context*);
int tdb_transaction_prepare_commit(tdb_context*);
int tdb_transaction_commit(tdb_context*);
int tdb_transaction_cancel(tdb_context*);
int tdb_transaction_write_lock_mark(tdb_context*);
int tdb_transaction_write_lock_unmark(tdb_context*);

// questions and settings
TDB_ERROR tdb_error(tdb_context*);
const char* tdb_errorstr(tdb_context*);
const char* tdb_name(tdb_context*);
int tdb_fd(tdb_context*);
int tdb_get_seqnum(tdb_context*);
void tdb_enable_seqnum(tdb_context*);
void tdb_increment_seqnum_nonblock(tdb_context*);
int tdb_hash_size(tdb_context*);
std::size_t tdb_map_size(tdb_context*);
int tdb_get_flags(tdb_context*);
void tdb_add_flags(tdb_context*, unsigned flag);
void tdb_remove_flags(tdb_context*, unsigned flag);
void tdb_set_max_dead(tdb_context*, int);
void tdb_setalarm_sigptr(tdb_context*, volatile sig_atomic_t*);
tdb_log_func tdb_log_fn(tdb_context*);
void* tdb_get_logging_private(tdb_context*);
void tdb_set_logging_function(tdb_context*, const tdb_logging_context*);
void tdb_logging_function(tdb_context*, tdb_log_func);
int tdb_freelist_size(tdb_context*);
int tdb_printfreelist(tdb_context*);
int tdb_validate_freelist(tdb_context*, int* entries);
int tdb_repack(tdb_context*);

}  // extern "C"
