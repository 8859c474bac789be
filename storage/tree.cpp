#include "storage/tree.hpp"

#include <limits>

namespace floe::tree {
namespace {

int found_at(byte_view inner, byte_view value, place& at) {
  auto record = format::parse(inner, value);
  if (!record) return MDB_CORRUPTED;
  at.found = true;
  at.record = *record;
  at.value = value;
  return 0;
}

int find_short(MDB_cursor* cursor, place& at) {
  MDB_val k = val(at.inner.bytes()), v;
  int rc = mdb_cursor_get(cursor, &k, &v, MDB_SET);
  if (rc != 0) return rc == MDB_NOTFOUND ? 0 : rc;
  return found_at(view(k), view(v), at);
}

/// Walks the keys of this hash: the one sought, or the lowest slot that none of them has.
int find_long(MDB_cursor* cursor, byte_view key, place& at) {
  constexpr unsigned slots = std::numeric_limits<std::uint16_t>::max() + 1u;
  MDB_val k = val(at.inner.bytes()), v;
  unsigned free_slot = 0;
  int rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
  for (; rc == 0; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
    byte_view inner = view(k);
    if (!inner.starts_with(at.inner.without_slot())) break;
    auto record = format::parse(inner, view(v));
    if (!record) return MDB_CORRUPTED;
    auto slot = format::inner_key::slot_of(inner);
    if (record->key == key) {
      at.inner.set_slot(slot);
      at.found = true;
      at.record = *record;
      at.value = view(v);
      return 0;
    }
    if (slot == free_slot) ++free_slot;
  }
  if (rc != 0 && rc != MDB_NOTFOUND) return rc;
  if (free_slot == slots) return MDB_BAD_VALSIZE;
  at.inner.set_slot(static_cast<std::uint16_t>(free_slot));
  return 0;
}

int write(MDB_cursor* cursor, byte_view inner, const record_view& record, unsigned flags) {
  MDB_val k = val(inner), v{format::value_size(record.key, record.data), nullptr};
  int rc = mdb_cursor_put(cursor, &k, &v, flags | MDB_RESERVE);
  if (rc == 0)
    format::write_value(static_cast<char*>(v.mv_data), record.key, record.header, record.data);
  return rc;
}

/// Nothing is written if nothing would change.
int put(MDB_cursor* cursor, const change& c, const place& at) {
  if (at.found && at.record.header == c.header && at.record.data == c.data) return 0;
  return write(cursor, at.inner.bytes(), {c.key, c.header, c.data}, 0);
}

int set_meta(MDB_cursor* cursor, const change& c) {
  auto inner = format::inner_key::of_meta(c.key);
  auto value = format::meta_value(c.key, c.data);
  MDB_val k = val(inner.bytes()), v = val(value);
  return mdb_cursor_put(cursor, &k, &v, 0);
}

}  // namespace

int find(MDB_cursor* cursor, const ordered_key& key, place& at) {
  return key.is_long() ? find_long(cursor, key.key(), at) : find_short(cursor, at);
}

int look_up(MDB_txn* txn, MDB_dbi dbi, const ordered_key& key, place& at) {
  if (!key.is_long()) {
    MDB_val k = val(at.inner.bytes()), v;
    int rc = mdb_get(txn, dbi, &k, &v);
    if (rc != 0) return rc == MDB_NOTFOUND ? 0 : rc;
    return found_at(at.inner.bytes(), view(v), at);
  }
  MDB_cursor* cursor = nullptr;
  int rc = mdb_cursor_open(txn, dbi, &cursor);
  if (rc != 0) return rc;
  rc = find_long(cursor, key.key(), at);
  mdb_cursor_close(cursor);
  return rc;
}

int apply(MDB_cursor* cursor, const change& c, long_key_hash hash) {
  return apply(cursor, c, hash, [](const place&) {});
}

int apply(MDB_cursor* cursor, const change& c, long_key_hash hash,
          function_ref<void(const place&)> before) {
  if (c.what == change_kind::set_meta) return set_meta(cursor, c);
  const ordered_key key(c.key, hash);
  place at(key);
  if (int rc = find(cursor, key, at)) return rc;
  before(at);
  if (c.what == change_kind::put) return put(cursor, c, at);
  return at.found ? mdb_cursor_del(cursor, 0) : 0;
}

int insert(MDB_cursor* cursor, byte_view inner, const record_view& record, bool append) {
  return write(cursor, inner, record, append ? MDB_APPEND : 0);
}

int get_meta(MDB_txn* txn, MDB_dbi dbi, byte_view name, std::optional<bytes>& content) {
  auto inner = format::inner_key::of_meta(name);
  MDB_val k = val(inner.bytes()), v;
  content.reset();
  int rc = mdb_get(txn, dbi, &k, &v);
  if (rc != 0) return rc == MDB_NOTFOUND ? 0 : rc;
  auto found = format::parse_meta(name, view(v));
  if (!found) return MDB_CORRUPTED;
  content.emplace(*found);
  return 0;
}

int all_meta(MDB_cursor* cursor, std::vector<meta_entry>& found) {
  found.clear();
  bytes first(1, format::tag_meta);
  MDB_val k = val(first), v;
  int rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
  for (; rc == 0; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT))
    found.push_back({bytes(view(k)), bytes(view(v))});
  return rc == MDB_NOTFOUND ? 0 : rc;
}

int put_back(MDB_cursor* cursor, const std::vector<meta_entry>& meta) {
  for (const auto& m : meta) {
    MDB_val k = val(m.inner), v = val(m.value);
    if (int rc = mdb_cursor_put(cursor, &k, &v, 0)) return rc;
  }
  return 0;
}

}  // namespace floe::tree
