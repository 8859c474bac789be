/// libtdb's functions about records, locks, walks and transactions: ours for databases of a floe node, else the real ones.
#include <cstdio>
#include <cstdlib>

#include "actors/tdb_bridge/open_databases.hpp"
#include "actors/tdb_bridge/real_library.hpp"

using floe::bridge::ours;
using floe::bridge::served;

#define EXPORT extern "C" __attribute__((visibility("default")))

// --- records -----------------------------------------------------------------------------------------------------

EXPORT TDB_DATA tdb_fetch(tdb_context* t, TDB_DATA key) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->fetch(key); });
  return REAL(tdb_fetch)(t, key);
}

EXPORT int tdb_parse_record(tdb_context* t, TDB_DATA key, tdb_parser run, void* context) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->parse(key, run, context); });
  return REAL(tdb_parse_record)(t, key, run, context);
}

EXPORT int tdb_exists(tdb_context* t, TDB_DATA key) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->exists(key); }) ? 1 : 0;
  return REAL(tdb_exists)(t, key);
}

EXPORT int tdb_store(tdb_context* t, TDB_DATA key, TDB_DATA data, int flag) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->store(key, &data, 1, flag); });
  return REAL(tdb_store)(t, key, data, flag);
}

EXPORT int tdb_storev(tdb_context* t, TDB_DATA key, const TDB_DATA* parts, int count, int flag) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->store(key, parts, count, flag); });
  return REAL(tdb_storev)(t, key, parts, count, flag);
}

EXPORT int tdb_append(tdb_context* t, TDB_DATA key, TDB_DATA data) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->append(key, data); });
  return REAL(tdb_append)(t, key, data);
}

EXPORT int tdb_delete(tdb_context* t, TDB_DATA key) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->remove(key); });
  return REAL(tdb_delete)(t, key);
}

// --- walks -------------------------------------------------------------------------------------------------------

EXPORT TDB_DATA tdb_firstkey(tdb_context* t) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->first_key(); });
  return REAL(tdb_firstkey)(t);
}

EXPORT TDB_DATA tdb_nextkey(tdb_context* t, TDB_DATA key) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->next_key(key); });
  return REAL(tdb_nextkey)(t, key);
}

EXPORT int tdb_traverse(tdb_context* t, tdb_traverse_func visit, void* context) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->walk(visit, context); });
  return REAL(tdb_traverse)(t, visit, context);
}

EXPORT int tdb_traverse_read(tdb_context* t, tdb_traverse_func visit, void* context) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->walk(visit, context); });
  return REAL(tdb_traverse_read)(t, visit, context);
}

EXPORT int tdb_traverse_chain(tdb_context* t, unsigned int chain, tdb_traverse_func visit,
                              void* context) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->walk_chain(chain, visit, context); });
  return REAL(tdb_traverse_chain)(t, chain, visit, context);
}

EXPORT int tdb_traverse_key_chain(tdb_context* t, TDB_DATA key, tdb_traverse_func visit,
                                  void* context) {
  if (auto* d = ours(t))
    return served(*d, [&] { return d->walk_chain(d->chain_of(key), visit, context); });
  return REAL(tdb_traverse_key_chain)(t, key, visit, context);
}

namespace {

struct checking {
  tdb_parser run;
  void* context;
};

int check_one(tdb_context*, TDB_DATA key, TDB_DATA data, void* to) {
  const auto& c = *static_cast<checking*>(to);
  return c.run ? c.run(key, data, c.context) : 0;
}

struct rescuing {
  tdb_walk run;
  void* context;
};

int rescue_one(tdb_context*, TDB_DATA key, TDB_DATA data, void* to) {
  const auto& r = *static_cast<rescuing*>(to);
  r.run(key, data, r.context);
  return 0;
}

int print_one(tdb_context*, TDB_DATA key, TDB_DATA data, void*) {
  std::printf("key of %zu octets, record of %zu\n", key.dsize, data.dsize);
  return 0;
}

}  // namespace

EXPORT int tdb_check(tdb_context* t, tdb_parser check, void* context) {
  checking all{check, context};
  if (auto* d = ours(t)) return served(*d, [&] { return d->walk(check_one, &all) < 0 ? -1 : 0; });
  return REAL(tdb_check)(t, check, context);
}

EXPORT int tdb_rescue(tdb_context* t, tdb_walk walk, void* context) {
  rescuing all{walk, context};
  if (auto* d = ours(t)) return served(*d, [&] { return d->walk(rescue_one, &all) < 0 ? -1 : 0; });
  return REAL(tdb_rescue)(t, walk, context);
}

EXPORT void tdb_dump_all(tdb_context* t) {
  if (auto* d = ours(t))
    (void)d->walk(print_one, nullptr);
  else
    REAL(tdb_dump_all)(t);
}

EXPORT char* tdb_summary(tdb_context* t) {
  auto* d = ours(t);
  if (!d) return REAL(tdb_summary)(t);
  const int records = d->walk(nullptr, nullptr);
  char* text = nullptr;
  if (records < 0 || ::asprintf(&text, "Database of a floe node: %s\nNumber of records: %d\n",
                                d->options().name.c_str(), records) < 0)
    return nullptr;
  return text;
}

EXPORT int tdb_wipe_all(tdb_context* t) {
  if (auto* d = ours(t)) return d->refuse(TDB_ERR_RDONLY, "tdb_wipe_all");
  return REAL(tdb_wipe_all)(t);
}

// --- locks -------------------------------------------------------------------------------------------------------

EXPORT int tdb_chainlock(tdb_context* t, TDB_DATA key) {
  if (auto* d = ours(t))
    return served(*d, [&] { return d->may_change() ? d->lock(key, FLOE_FOREVER) : -1; });
  return REAL(tdb_chainlock)(t, key);
}

EXPORT int tdb_chainlock_nonblock(tdb_context* t, TDB_DATA key) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->may_change() ? d->lock(key, 0) : -1; });
  return REAL(tdb_chainlock_nonblock)(t, key);
}

EXPORT int tdb_chainunlock(tdb_context* t, TDB_DATA key) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->unlock(key); });
  return REAL(tdb_chainunlock)(t, key);
}

// A record has one lock: readers that lock exclude each other, too.
EXPORT int tdb_chainlock_read(tdb_context* t, TDB_DATA key) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->lock(key, FLOE_FOREVER); });
  return REAL(tdb_chainlock_read)(t, key);
}

EXPORT int tdb_chainlock_read_nonblock(tdb_context* t, TDB_DATA key) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->lock(key, 0); });
  return REAL(tdb_chainlock_read_nonblock)(t, key);
}

EXPORT int tdb_chainunlock_read(tdb_context* t, TDB_DATA key) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->unlock(key); });
  return REAL(tdb_chainunlock_read)(t, key);
}

/// Functions that lock a whole file or pretend to, which a cluster has not.
#define NOT_SERVED(name)                                          \
  EXPORT int name(tdb_context* t) {                               \
    if (auto* d = ours(t)) return d->refuse(TDB_ERR_LOCK, #name); \
    return REAL(name)(t);                                         \
  }
NOT_SERVED(tdb_lockall)
NOT_SERVED(tdb_lockall_nonblock)
NOT_SERVED(tdb_lockall_read)
NOT_SERVED(tdb_lockall_read_nonblock)
NOT_SERVED(tdb_lockall_mark)
NOT_SERVED(tdb_lockall_unmark)
NOT_SERVED(tdb_unlockall)
NOT_SERVED(tdb_unlockall_read)
NOT_SERVED(tdb_transaction_write_lock_mark)
NOT_SERVED(tdb_transaction_write_lock_unmark)

EXPORT int tdb_chainlock_mark(tdb_context* t, TDB_DATA key) {
  if (auto* d = ours(t)) return d->refuse(TDB_ERR_LOCK, "tdb_chainlock_mark");
  return REAL(tdb_chainlock_mark)(t, key);
}

EXPORT int tdb_chainlock_unmark(tdb_context* t, TDB_DATA key) {
  if (auto* d = ours(t)) return d->refuse(TDB_ERR_LOCK, "tdb_chainlock_unmark");
  return REAL(tdb_chainlock_unmark)(t, key);
}

EXPORT int tdb_lock_nonblock(tdb_context* t, int list, int type) {
  if (auto* d = ours(t)) return d->refuse(TDB_ERR_LOCK, "tdb_lock_nonblock");
  return REAL(tdb_lock_nonblock)(t, list, type);
}

EXPORT int tdb_unlock(tdb_context* t, int list, int type) {
  if (auto* d = ours(t)) return d->refuse(TDB_ERR_LOCK, "tdb_unlock");
  return REAL(tdb_unlock)(t, list, type);
}

// --- transactions ------------------------------------------------------------------------------------------------

EXPORT bool tdb_transaction_active(tdb_context* t) {
  if (auto* d = ours(t)) return d->in_transaction();
  return REAL(tdb_transaction_active)(t);
}

EXPORT int tdb_transaction_start(tdb_context* t) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->begin(FLOE_FOREVER); });
  return REAL(tdb_transaction_start)(t);
}

EXPORT int tdb_transaction_start_nonblock(tdb_context* t) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->begin(0); });
  return REAL(tdb_transaction_start_nonblock)(t);
}

/// Nothing is kept anywhere before the commit: there is nothing to prepare.
EXPORT int tdb_transaction_prepare_commit(tdb_context* t) {
  if (auto* d = ours(t))
    return d->in_transaction() ? 0 : d->refuse(TDB_ERR_EINVAL, "tdb_transaction_prepare_commit");
  return REAL(tdb_transaction_prepare_commit)(t);
}

EXPORT int tdb_transaction_commit(tdb_context* t) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->commit(); });
  return REAL(tdb_transaction_commit)(t);
}

EXPORT int tdb_transaction_cancel(tdb_context* t) {
  if (auto* d = ours(t)) return served(*d, [&] { return d->cancel(); });
  return REAL(tdb_transaction_cancel)(t);
}
