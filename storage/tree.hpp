#pragma once
/// Inside storage/ only: records in the B+tree of an environment, within a transaction that the
/// caller holds. Results are LMDB's codes, 0 for success; damage found here is MDB_CORRUPTED.
#include <lmdb.h>

#include <optional>
#include <vector>

#include "storage/change.hpp"
#include "storage/format.hpp"
#include "storage/function_ref.hpp"

namespace floe::tree {

inline MDB_val val(byte_view v) { return {v.size(), const_cast<char*>(v.data())}; }
inline byte_view view(const MDB_val& v) { return {static_cast<const char*>(v.mv_data), v.mv_size}; }

/// A place in the tree: the inner key (with its slot) of a record that is there, or that may be put
/// there.
struct place {
  explicit place(const ordered_key& key) : inner(key) {}
  format::inner_key inner;
  bool found = false;
  record_view record{};  ///< if found: views into the map
  byte_view value{};
};

/// A read without a cursor.
int look_up(MDB_txn* txn, MDB_dbi dbi, const ordered_key& key, place& at);
/// If found, the cursor is on the record.
int find(MDB_cursor* cursor, const ordered_key& key, place& at);
int apply(MDB_cursor* cursor, const change& c, long_key_hash hash);
/// The same; shows what a record is before it is put or erased.
int apply(MDB_cursor* cursor, const change& c, long_key_hash hash,
          function_ref<void(const place&)> before);

/// Writes a record known to be new, behind everything there is (`append`) or anywhere.
int insert(MDB_cursor* cursor, byte_view inner, const record_view& record, bool append);

int get_meta(MDB_txn* txn, MDB_dbi dbi, byte_view name, std::optional<bytes>& content);
struct meta_entry {
  bytes inner, value;
};
/// All metadata as they are in the tree. They lie behind the records.
int all_meta(MDB_cursor* cursor, std::vector<meta_entry>& found);
int put_back(MDB_cursor* cursor, const std::vector<meta_entry>& meta);

}  // namespace floe::tree
