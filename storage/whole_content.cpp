/// The operations of a store that concern all its records.
#include <algorithm>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "storage/content_walk.hpp"
#include "storage/store_impl.hpp"

namespace floe {
namespace {

/// A transaction of this size leaves page buffers behind on the heap unless the map is writable.
constexpr std::uint64_t huge_transaction_bytes = 64 << 20;

/// What a full map was short of: its room was used up by a part of the stream, the rest needs as
/// much in proportion. Bytes of records would mislead, since a small change writes a whole page.
std::uint64_t missing_bytes(const environment& env, std::uint64_t total, std::uint64_t read) {
  if (total <= read || read == 0) return 0;
  auto room = static_cast<double>(env.map_bytes() - env.file_pages() * page_size);
  double missing = room * static_cast<double>(total - read) / static_cast<double>(read);
  return static_cast<std::uint64_t>(std::min(missing * 1.1, 2.0 * static_cast<double>(total)));
}

}  // namespace

std::expected<void, store_error> store::impl::in_one_commit(room purpose,
                                                            function_ref<int(write_txn&)> body,
                                                            function_ref<std::uint64_t()> wanted) {
  ++writes;
  if (auto flushed = flush(); !flushed) return flushed;
  if (purpose == room::for_puts)
    if (auto admitted = env->admit_puts(); !admitted) return admitted;
  for (;;) {
    auto begun = write_txn::begin(env->get(), env->dbi());
    if (!begun) return std::unexpected(std::move(begun.error()));
    int rc = body(*begun);
    if (rc != 0) {
      begun->abort();
      if (rc != MDB_MAP_FULL) return store_failed(rc, "change whole content");
    } else {
      rc = env->fault(disk_op::flush, 0);
      if (rc == 0) rc = begun->commit();
      if (rc == 0) {
        env->keep_disk_back();
        return {};
      }
      begun->abort();
      if (rc != MDB_MAP_FULL) return std::unexpected(env->commit_error(rc));
    }
    if (auto grown = env->grow(purpose, wanted()); !grown) return grown;
  }
}

std::expected<void, store_error> store::wipe() {
  if (auto ok = impl_->enter(); !ok) return ok;
  impl_->history.forget();
  auto drop = [&](write_txn& txn) {
    std::vector<tree::meta_entry> meta;
    int rc = tree::all_meta(txn.cursor(), meta);
    if (rc == 0) rc = mdb_drop(txn.get(), impl_->env->dbi(), 0);
    if (rc == 0) rc = tree::put_back(txn.cursor(), meta);
    return rc;
  };
  auto nothing_known = [] { return std::uint64_t{0}; };
  if (auto dropped = impl_->in_one_commit(room::for_erases, drop, nothing_known); !dropped)
    return dropped;
  // A long free list behind little content would slow every commit down. If the file cannot be
  // written anew the wipe has still been done.
  auto now = stats();
  if (now && now->compaction_due())
    if (auto compacted = compact(); !compacted && compacted.error().code == store_errc::not_open)
      return compacted;
  return {};
}

std::expected<replace_result, store_error> store::replace(record_source& source,
                                                          std::span<const change> meta) {
  if (auto ok = impl_->enter(); !ok) return std::unexpected(std::move(ok.error()));
  if (auto admitted = impl_->admit(meta); !admitted)
    return std::unexpected(std::move(admitted.error()));
  impl_->history.forget();
  replace_result result;
  std::uint64_t read = 0, written = 0;
  bool unsorted = false;
  auto body = [&](write_txn& txn) {
    source.rewind();
    content_walk walk(txn, *impl_->env, source, impl_->options.hash);
    int rc = walk.run();
    for (std::size_t i = 0; rc == 0 && i < meta.size(); ++i)
      rc = tree::apply(txn.cursor(), meta[i], impl_->options.hash);
    result = walk.result();
    read = walk.bytes_read();
    written = walk.bytes_written();
    unsorted = walk.unsorted();
    return rc;
  };
  auto wanted = [&] { return missing_bytes(*impl_->env, source.size_hint_bytes(), read); };
  if (auto done = impl_->in_one_commit(room::for_puts, body, wanted); !done) {
    if (unsorted) return std::unexpected(own_error(store_errc::unsorted, "records do not ascend"));
    return std::unexpected(std::move(done.error()));
  }
  if (written > huge_transaction_bytes && !impl_->env->writable_map())
    if (auto again = impl_->env->reopen(); !again) return std::unexpected(std::move(again.error()));
  return result;
}

std::expected<void, store_error> store::bulk_store(std::span<const record_view> records) {
  if (auto ok = impl_->enter(); !ok) return ok;
  auto held = count();
  if (!held) return std::unexpected(std::move(held.error()));
  std::vector<std::uint32_t> order = sorted_order(records, impl_->options.hash);
  if (*held == 0) {  // the same as replacing nothing
    std::uint64_t total = 0;
    for (const auto& r : records) total += r.key.size() + r.data.size();
    span_source source(records, order, total);
    auto filled = replace(source);
    if (!filled) return std::unexpected(std::move(filled.error()));
    return {};
  }
  std::vector<change> changes;
  changes.reserve(records.size());
  if (order.empty())
    for (const auto& r : records) changes.push_back(change::put(r));
  else
    for (const auto i : order) changes.push_back(change::put(records[i]));
  return bulk_apply(changes);
}

std::expected<void, store_error> store::bulk_apply(std::span<const change> changes) {
  if (auto ok = impl_->enter(); !ok) return ok;
  std::uint64_t total = 0, done = 0;
  room purpose = room::for_erases;
  for (const auto& c : changes) {
    total += c.key.size() + c.data.size();
    if (c.what != change_kind::erase) purpose = room::for_puts;
  }
  auto body = [&](write_txn& txn) {
    done = 0;
    for (const auto& c : changes) {
      // noted on the way, since the record is at hand; if all this is done again its first mark stays
      const auto note = [&](const tree::place& at) {
        impl_->note(c, [&] {
          return at.found ? mark_of(at.record.header, at.record.data) : record_mark{};
        });
      };
      int rc = impl_->env->fault(disk_op::write, c.data.size());
      if (rc == 0) rc = tree::apply(txn.cursor(), c, impl_->options.hash, note);
      if (rc != 0) return rc;
      done += c.key.size() + c.data.size();
    }
    return 0;
  };
  auto wanted = [&] { return missing_bytes(*impl_->env, total, done); };
  return impl_->in_one_commit(purpose, body, wanted);
}

namespace {

constexpr std::uint64_t many_pages = 1024;  ///< which go in about two milliseconds

/// The pages of its file and its map go back to the system one by one: milliseconds for a few megabytes, for which nobody has to
/// wait. Nothing else knows of it any more. (Not in a simulation, whose memory belongs to one thread.)
void close_apart(std::unique_ptr<environment> old) {
  if (old->file_pages() < many_pages) return;
  try {
    std::thread([old = std::move(old)] {}).detach();
  } catch (const std::system_error&) {
    // closed here and now
  }
}

}  // namespace

std::expected<void, store_error> store::compact() {
  if (auto ok = impl_->enter(); !ok) return ok;
  if (auto flushed = impl_->flush(); !flushed) return flushed;
  auto copy = impl_->env->compacted_copy();
  if (!copy) return std::unexpected(std::move(copy.error()));
  if (auto moved = (*copy)->take_place_of(*impl_->env); !moved) return moved;
  auto old = std::exchange(impl_->env, std::move(*copy));
  if (!impl_->options.faults) close_apart(std::move(old));
  return impl_->env->sync_name();
}

}  // namespace floe
