/// The C functions about transactions.
#include "actors/clib/transaction.hpp"
#include "actors/clib/value.hpp"

using namespace floe;
using namespace floe::clib;

struct floe_transaction {
  std::unique_ptr<transaction> is;
};

int floe_transaction_start(floe_connection* c, floe_db db, int timeout_ms, floe_transaction** out) {
  return guarded([&]() -> outcome<void> {
    if (!out) return failed(FLOE_EINVAL, "nowhere to put the transaction");
    *out = nullptr;
    const bool at_once = timeout_ms == 0;
    auto t = transaction::start(of(c), db_id{db}, at_once ? of(c).patience() : within(timeout_ms),
                                at_once);
    if (!t) return std::unexpected(t.error());
    *out = new floe_transaction{std::move(*t)};
    return {};
  });
}

int floe_transaction_read(floe_transaction* t, const void* key, size_t key_size, floe_value* out) {
  return guarded([&]() -> outcome<void> {
    if (out) *out = {};
    if (!t || !out || !key || key_size == 0)
      return failed(FLOE_EINVAL, "no transaction, no key, or nowhere to put it");
    const auto r = t->is->read(octets(key, key_size));
    if (!r) return std::unexpected(r.error());
    if (const auto f = fill(*out, r->data); !f) return f;
    out->header = as_c(r->header);
    out->exists = r->filled ? 1 : 0;
    return r->filled ? outcome<void>{} : failed(FLOE_ENOENT, "there is no such record");
  });
}

int floe_transaction_store(floe_transaction* t, const void* key, size_t key_size, const void* data,
                           size_t size) {
  return guarded([&]() -> outcome<void> {
    if (!t || !key || key_size == 0) return failed(FLOE_EINVAL, "no transaction, or no key");
    return t->is->store(octets(key, key_size), octets(data, size));
  });
}

int floe_transaction_commit(floe_transaction* t, int timeout_ms) {
  const int done = guarded([&]() -> outcome<void> {
    if (!t) return failed(FLOE_EINVAL, "no transaction");
    return t->is->commit(within(timeout_ms));
  });
  delete t;
  return done;
}

void floe_transaction_cancel(floe_transaction* t) { delete t; }
