#include <algorithm>

#include "storage/store_impl.hpp"

namespace floe {
namespace {

/// Goes through the tree entry by entry. Keys of equal hash lie there by slot, and are put into the
/// order of their bytes on the way.
class scanner {
 public:
  scanner(MDB_cursor* cursor, function_ref<bool(const record_view&)> visitor)
      : cursor_(cursor), visitor_(visitor) {}

  int run(const std::optional<ordered_key>& after) {
    for (int rc = start(after); rc != MDB_NOTFOUND;) {
      if (rc != 0) return rc;
      byte_view inner = tree::view(key_);
      if (inner.starts_with(format::tag_meta)) break;
      rc = inner.starts_with(format::tag_long) ? same_hash(inner, after) : one(inner);
      if (rc == 0 && stopped_) return 0;
      if (rc == 0) rc = next_;
    }
    at_end_ = true;
    return 0;
  }

  bool at_end() const { return at_end_; }
  const std::optional<byte_view>& last_taken() const { return last_; }

 private:
  int start(const std::optional<ordered_key>& after) {
    if (!after) return mdb_cursor_get(cursor_, &key_, &value_, MDB_FIRST);
    format::inner_key inner(*after);
    key_ = tree::val(inner.bytes());
    int rc = mdb_cursor_get(cursor_, &key_, &value_, MDB_SET_RANGE);
    if (rc == 0 && !after->is_long() && tree::view(key_) == inner.bytes()) rc = next();
    return rc;
  }

  int next() { return mdb_cursor_get(cursor_, &key_, &value_, MDB_NEXT); }

  int read(byte_view inner, record_view& record) const {
    auto parsed = format::parse(inner, tree::view(value_));
    if (!parsed || !format::sum_holds(tree::view(value_), *parsed)) return MDB_CORRUPTED;
    record = *parsed;
    return 0;
  }

  void show(const record_view& record) {
    stopped_ = !visitor_(record);
    if (!stopped_) last_ = record.key;
  }

  int one(byte_view inner) {
    record_view record;
    if (int rc = read(inner, record)) return rc;
    show(record);
    if (!stopped_) next_ = next();
    return 0;
  }

  int same_hash(byte_view inner, const std::optional<ordered_key>& after) {
    group_.clear();
    byte_view hash = inner.substr(0, inner.size() - 2);
    do {
      record_view record;
      if (int rc = read(tree::view(key_), record)) return rc;
      // Only the first group of a resumed scan can have records that were met before.
      if (!after || !after->is_long() || record.key > after->key() || last_ ||
          !format::inner_key(*after).bytes().starts_with(hash))
        group_.push_back(record);
      next_ = next();
    } while (next_ == 0 && tree::view(key_).starts_with(hash));
    std::ranges::sort(group_, {}, &record_view::key);
    for (const auto& record : group_) {
      show(record);
      if (stopped_) break;
    }
    return 0;
  }

  MDB_cursor* cursor_;
  function_ref<bool(const record_view&)> visitor_;
  MDB_val key_{}, value_{};
  int next_ = 0;
  bool stopped_ = false, at_end_ = false;
  std::optional<byte_view> last_;
  std::vector<record_view> group_;
};

}  // namespace

std::expected<scan_position, store_error> store::scan(
    const scan_position& from, function_ref<bool(const record_view&)> visitor) {
  if (auto ok = impl_->enter(); !ok) return std::unexpected(std::move(ok.error()));
  if (from.at_end()) return from;
  auto read = store_read::begin(*impl_);
  if (!read) return std::unexpected(std::move(read.error()));
  auto cursor = read->cursor(impl_->env->dbi());
  if (!cursor) return std::unexpected(std::move(cursor.error()));

  std::optional<ordered_key> after;
  if (from.last_key()) after.emplace(*from.last_key(), impl_->options.hash);
  scanner s(*cursor, visitor);
  callback_guard guard(impl_->in_callback);
  if (int rc = s.run(after)) return store_failed(rc, "scan");
  if (s.at_end()) return scan_position::end();
  return s.last_taken() ? scan_position::after(*s.last_taken()) : from;
}

}  // namespace floe
