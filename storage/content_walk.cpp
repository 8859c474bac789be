#include "storage/content_walk.hpp"

#include <algorithm>
#include <cerrno>

namespace floe {
namespace {

constexpr std::size_t slots = 0x10000;

byte_view without_slot(byte_view inner) {
  return inner.starts_with(format::tag_long) ? inner.substr(0, inner.size() - 2) : inner;
}

}  // namespace

int content_walk::run() {
  next_source();
  next_group();
  next_local(MDB_FIRST);
  if (local_ == MDB_NOTFOUND) return fill();
  for (;;) {
    if (unsorted_) return EINVAL;
    bool have_local = local_ == 0;
    if (!have_local && local_ != MDB_NOTFOUND) return local_;
    if (!have_local && group_.empty()) return 0;
    int order = have_local ? -1 : 1;
    if (have_local && !group_.empty())
      order = without_slot(local_inner_).compare(format::inner_key(group_key_).without_slot());
    int rc = order < 0 ? erase_local() : order > 0 ? insert_group(false) : settle();
    if (rc != 0) return rc;
  }
}

// ---- the stream

void content_walk::next_source() {
  ordered_key before = key_;
  have_source_ = source_.next(record_);
  if (!have_source_) return;
  key_ = ordered_key(record_.key, hash_);
  if (started_ && !(before < key_)) {
    unsorted_ = true;
    have_source_ = false;
  }
  started_ = true;
  bytes_read_ += record_.key.size() + record_.data.size();
}

void content_walk::next_group() {
  group_.clear();
  if (!have_source_) return;
  group_key_ = key_;
  do {
    group_.push_back(record_);
    next_source();
  } while (have_source_ && key_.is_long() && group_key_.is_long() &&
           key_.hash() == group_key_.hash());
}

// ---- the tree

void content_walk::next_local(MDB_cursor_op op) {
  MDB_val k{}, v{};
  local_ = mdb_cursor_get(cursor_, &k, &v, op);
  if (local_ != 0) return;
  local_inner_ = tree::view(k);
  local_value_ = tree::view(v);
  if (local_inner_.starts_with(format::tag_meta)) local_ = MDB_NOTFOUND;
}

int content_walk::fill() {
  // Appending needs the end of the tree, where the metadata are: they are put back afterwards.
  std::vector<tree::meta_entry> meta;
  if (int rc = tree::all_meta(cursor_, meta)) return rc;
  for (const auto& m : meta) {
    MDB_val k = tree::val(m.inner), v;
    int rc = mdb_cursor_get(cursor_, &k, &v, MDB_SET);
    if (rc == 0) rc = mdb_cursor_del(cursor_, 0);
    if (rc != 0) return rc;
  }
  while (!group_.empty())
    if (int rc = insert_group(true)) return rc;
  return unsorted_ ? EINVAL : tree::put_back(cursor_, meta);
}

/// No local record has this place; the local record at hand, if any, lies behind it.
int content_walk::insert_group(bool append) {
  if (group_.size() > slots) return MDB_BAD_VALSIZE;
  format::inner_key inner(group_key_);
  for (std::size_t slot = 0; slot < group_.size(); ++slot) {
    if (group_key_.is_long()) inner.set_slot(static_cast<std::uint16_t>(slot));
    int rc = env_.fault(disk_op::write, group_[slot].data.size());
    if (rc == 0) rc = tree::insert(cursor_, inner.bytes(), group_[slot], append);
    if (rc = wrote(rc, group_[slot]); rc != 0) return rc;
  }
  if (local_ == 0) next_local(MDB_NEXT);
  next_group();
  return 0;
}

int content_walk::erase_local() {
  if (int rc = mdb_cursor_del(cursor_, 0)) return rc;
  ++result_.erased;
  next_local(MDB_NEXT);  // after a deletion this is the entry that followed: none is skipped
  return 0;
}

/// Local record and group have the same place.
int content_walk::settle() {
  auto local = format::parse(local_inner_, local_value_);
  if (!local) return MDB_CORRUPTED;
  if (group_.size() > 1 || local->key != group_key_.key()) return reconcile();
  // Should other local records of this hash follow, they are met before the next group and erased.
  tree::place at(group_key_);
  if (group_key_.is_long()) at.inner.set_slot(format::inner_key::slot_of(local_inner_));
  at.found = true;
  at.record = *local;
  if (int rc = put(at, group_.front())) return rc;
  next_local(MDB_NEXT);
  next_group();
  return 0;
}

/// Different keys of one hash, here or in the stream: rare, so by plain lookups.
int content_walk::reconcile() {
  bytes place(without_slot(local_inner_));
  std::vector<bytes> surplus;
  for (; local_ == 0 && local_inner_.starts_with(place); next_local(MDB_NEXT)) {
    auto local = format::parse(local_inner_, local_value_);
    if (!local) return MDB_CORRUPTED;
    if (!std::ranges::binary_search(group_, local->key, {}, &record_view::key))
      surplus.emplace_back(local->key);
  }
  for (const auto& key : surplus) {
    ordered_key ordered(key, hash_);
    tree::place at(ordered);
    int rc = tree::find(cursor_, ordered, at);
    if (rc == 0) rc = mdb_cursor_del(cursor_, 0);
    if (rc != 0) return rc;
    ++result_.erased;
  }
  for (const auto& record : group_) {
    ordered_key ordered(record.key, hash_);
    tree::place at(ordered);
    int rc = tree::find(cursor_, ordered, at);
    if (rc == 0) rc = put(at, record);
    if (rc != 0) return rc;
  }
  // Go on behind the last slot that this place can have.
  bytes last = place + "\xff\xff";
  MDB_val k = tree::val(last), v;
  int rc = mdb_cursor_get(cursor_, &k, &v, MDB_SET_RANGE);
  if (rc == 0)
    next_local(tree::view(k) == last ? MDB_NEXT : MDB_GET_CURRENT);
  else
    local_ = rc;
  next_group();
  return 0;
}

int content_walk::put(const tree::place& at, const record_view& record) {
  bool changed = !at.found || at.record.header != record.header || at.record.data != record.data;
  if (!changed) {
    ++result_.unchanged;
    return 0;
  }
  int rc = env_.fault(disk_op::write, record.data.size());
  if (rc == 0) rc = tree::insert(cursor_, at.inner.bytes(), record, false);
  return wrote(rc, record);
}

int content_walk::wrote(int rc, const record_view& record) {
  if (rc != 0) return rc;
  ++result_.written;
  bytes_written_ += record.key.size() + record.data.size();
  return 0;
}

}  // namespace floe
