#include "storage/store.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "protocol/mutant.hpp"
#include "storage/store_impl.hpp"

namespace floe {
namespace {

/// A caller that breaks the contract would block or corrupt the store later, far from the mistake.
void must(bool holds, const char* rule) {
  if (holds) return;
  std::fprintf(stderr, "floe: store used wrongly: %s\n", rule);
  std::abort();
}

bool storable(const change& c) {
  if (c.what == change_kind::set_meta)
    return c.key.size() <= format::meta_name_max &&
           c.data.size() < format::value_max - format::sum_size;
  return c.key.size() < format::value_max && format::value_size(c.key, c.data) < format::value_max;
}

bool needs_room(const change& c) { return c.what != change_kind::erase; }

}  // namespace

// ---- transactions

std::expected<void, store_error> store::impl::enter() const {
  must(!in_callback, "called from its own callback");
  must(!txn || owner == std::this_thread::get_id(), "a group is open on another thread");
  if (env == nullptr || env->get() == nullptr)
    return std::unexpected(own_error(store_errc::not_open, "store is not open"));
  return {};
}

std::expected<void, store_error> store::impl::open_group() {
  while (!txn) {
    auto begun = write_txn::begin(env->get(), env->dbi());
    if (!begun) return std::unexpected(std::move(begun.error()));
    MDB_cursor* cursor = begun->cursor();
    int rc = log.replay([&](const change& c) { return tree::apply(cursor, c, options.hash); });
    if (rc == 0) {
      txn.emplace(std::move(*begun));
      owner = std::this_thread::get_id();
      break;
    }
    begun->abort();
    if (rc != MDB_MAP_FULL) return store_failed(rc, "repeat group");
    // What is in the log was accepted: it may use the room kept back.
    if (auto grown = env->grow(room::for_erases); !grown) return grown;
  }
  return {};
}

std::expected<void, store_error> store::impl::admit(std::span<const change> changes) {
  bool puts = false;
  for (const auto& c : changes) {
    if (!storable(c))
      return std::unexpected(own_error(store_errc::unstorable, "key or value too long"));
    if (int rc = env->fault(disk_op::write, c.data.size())) return store_failed(rc, "write record");
    puts |= needs_room(c);
  }
  if (puts && env->using_room_kept_back()) {
    txn.reset();  // the map may have to grow
    return env->admit_puts();
  }
  return {};
}

void store::impl::note(std::span<const change> changes) {
  std::optional<store_read> read;
  for (const auto& c : changes) {
    note(c, [&]() -> record_mark {
      if (!read)
        if (auto begun = store_read::begin(*this)) read.emplace(std::move(*begun));
      const ordered_key sought(c.key, options.hash);
      tree::place at(sought);
      // what cannot be read cannot be told either: whoever asks for the record learns it
      if (!read || tree::look_up(read->txn(), env->dbi(), sought, at) != 0 || !at.found) return {};
      return mark_of(at.record.header, at.record.data);
    });
  }
}

void store::impl::note(const change& c, function_ref<record_mark()> before) {
  const bool empties = c.what == change_kind::put && c.data.empty();
  if (c.what == change_kind::set_meta || (empties && mutated(mutant::change_not_noted))) return;
  history.note(c.key, before, [&] { return data_sum(c.data); });
}

std::expected<void, store_error> store::impl::join(std::span<const change> changes) {
  if (changes.empty()) return {};
  if (auto admitted = admit(changes); !admitted) return admitted;
  if (auto opened = open_group(); !opened) return opened;

  // metadata are no content
  if (std::ranges::any_of(changes, [](const change& c) { return c.what != change_kind::set_meta; }))
    ++writes;
  note(changes);
  change_log::mark mark = log.here();
  room purpose = room::for_erases;
  int rc = 0;
  for (const auto& c : changes) {
    log.append(c);
    if (needs_room(c)) purpose = room::for_puts;
    if (rc == 0) rc = tree::apply(txn->cursor(), c, options.hash);
  }
  std::uint64_t added = log.size_bytes() - mark.length;
  while (rc != 0) {
    txn.reset();  // it has a part of the changes, and LMDB accepts no further call in it
    std::expected<void, store_error> grown = store_failed(rc, "write record");
    if (rc == MDB_MAP_FULL) grown = env->grow(purpose, added);
    if (!grown) {
      log.cut(mark);  // the group is opened again, without these changes, by whoever needs it next
      return grown;
    }
    auto begun = write_txn::begin(env->get(), env->dbi());
    if (!begun) {
      log.cut(mark);
      return std::unexpected(std::move(begun.error()));
    }
    txn.emplace(std::move(*begun));
    owner = std::this_thread::get_id();
    rc = log.replay([&](const change& c) { return tree::apply(txn->cursor(), c, options.hash); });
  }
  return {};
}

std::expected<void, store_error> store::impl::flush() {
  while (!log.empty()) {
    if (log.adds())
      if (auto reserved = env->reserve_disk(2 * log.size_bytes()); !reserved) {
        txn.reset();
        return reserved;
      }
    if (int rc = env->fault(disk_op::flush, log.size_bytes())) {
      txn.reset();
      return std::unexpected(env->commit_error(rc));
    }
    if (auto opened = open_group(); !opened) return opened;
    int rc = txn->commit();
    txn.reset();
    if (rc == 0)
      log.clear();
    else if (rc != MDB_MAP_FULL)
      return std::unexpected(env->commit_error(rc));
    else if (auto grown = env->grow(room::for_erases); !grown)
      return grown;
  }
  return {};
}

std::expected<store_read, store_error> store_read::begin(store::impl& s) {
  if (!s.log.empty()) {
    if (auto opened = s.open_group(); !opened) return std::unexpected(std::move(opened.error()));
    return store_read(nullptr, s.txn->get());
  }
  auto txn = s.env->begin_read();
  if (!txn) return std::unexpected(std::move(txn.error()));
  return store_read(s.env.get(), *txn);
}

store_read::~store_read() {
  if (cursor_ != nullptr) mdb_cursor_close(cursor_);
  if (env_ != nullptr) env_->end_read();
}

std::expected<MDB_cursor*, store_error> store_read::cursor(MDB_dbi dbi) {
  if (cursor_ == nullptr)
    if (int rc = mdb_cursor_open(txn_, dbi, &cursor_)) return store_failed(rc, "open cursor");
  return cursor_;
}

// ---- opening

std::expected<store, store_error> store::open(const store_options& options) {
  auto made = std::make_unique<impl>(options);
  auto env = environment::open(options);
  if (!env) return std::unexpected(std::move(env.error()));
  made->env = std::move(*env);
  if (auto checked = made->check_format(); !checked)
    return std::unexpected(std::move(checked.error()));
  return store(std::move(made));
}

std::expected<void, store_error> store::impl::check_format() {
  std::optional<bytes> found;
  MDB_stat stat{};
  {
    auto read = store_read::begin(*this);
    if (!read) return std::unexpected(std::move(read.error()));
    int rc = tree::get_meta(read->txn(), env->dbi(), format::version_name, found);
    if (rc == 0) rc = mdb_stat(read->txn(), env->dbi(), &stat);
    if (rc != 0) return store_failed(rc, "read format");
  }
  byte_view expected(reinterpret_cast<const char*>(&format::version), sizeof format::version);
  if (found == expected) return {};
  if (found || stat.ms_entries != 0)
    return std::unexpected(own_error(store_errc::wrong_format, "not a database of this version"));
  change c = change::set_meta(format::version_name, expected);
  if (auto joined = join({&c, 1}); !joined) return joined;
  return flush();
}

store::store(std::unique_ptr<impl> made) : impl_(std::move(made)) {}
store::store(store&&) noexcept = default;
store& store::operator=(store&&) noexcept = default;
store::~store() = default;

const store_options& store::options() const { return impl_->options; }
const change_history& store::changes() const { return impl_->history; }
change_history& store::changes() { return impl_->history; }

void store::note_unstored(std::span<const record> newer) {
  std::vector<change> changes;
  changes.reserve(newer.size());
  for (const auto& r : newer) changes.push_back(change::put(r));
  impl_->note(changes);
  for (const auto& r : newer) impl_->history.written(r.key);
}
std::uint64_t store::writes() const { return impl_->writes; }

// ---- records

std::expected<bool, store_error> store::visit(byte_view key,
                                              function_ref<void(const record_view&)> visitor) {
  if (auto ok = impl_->enter(); !ok) return std::unexpected(std::move(ok.error()));
  if (const auto last = impl_->last.find(key, impl_->writes)) {
    callback_guard guard(impl_->in_callback);
    visitor(*last);
    return true;
  }
  auto read = store_read::begin(*impl_);
  if (!read) return std::unexpected(std::move(read.error()));
  ordered_key sought(key, impl_->options.hash);
  tree::place at(sought);
  if (int rc = tree::look_up(read->txn(), impl_->env->dbi(), sought, at))
    return store_failed(rc, "read record");
  if (!at.found) return false;
  if (!format::sum_holds(at.value, at.record)) return store_failed(MDB_CORRUPTED, "read record");
  impl_->last.is({key, at.record.header, at.record.data}, impl_->writes);
  callback_guard guard(impl_->in_callback);
  visitor(at.record);
  return true;
}

std::expected<std::size_t, store_error> store::visit_each(
    std::span<const byte_view> keys, function_ref<bool(byte_view, const record_view*)> visitor) {
  if (auto ok = impl_->enter(); !ok) return std::unexpected(std::move(ok.error()));
  auto read = store_read::begin(*impl_);
  if (!read) return std::unexpected(std::move(read.error()));
  const auto cursor = read->cursor(impl_->env->dbi());
  if (!cursor) return std::unexpected(cursor.error());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const ordered_key sought(keys[i], impl_->options.hash);
    tree::place at(sought);
    if (int rc = tree::find(*cursor, sought, at)) return store_failed(rc, "read record");
    if (at.found && !format::sum_holds(at.value, at.record))
      return store_failed(MDB_CORRUPTED, "read record");
    callback_guard guard(impl_->in_callback);
    if (!visitor(keys[i], at.found ? &at.record : nullptr)) return i;
  }
  return keys.size();
}

std::expected<std::optional<record>, store_error> store::get(byte_view key) {
  std::optional<record> copy;
  auto found = visit(
      key, [&](const record_view& r) { copy.emplace(bytes(r.key), r.header, bytes(r.data)); });
  if (!found) return std::unexpected(std::move(found.error()));
  return copy;
}

std::expected<void, store_error> store::put(byte_view key, const record_header& header,
                                            byte_view data) {
  change c = change::put(key, header, data);
  auto done = apply({&c, 1}, durability::grouped);
  if (done) impl_->last.is({key, header, data}, impl_->writes);
  return done;
}

std::expected<void, store_error> store::erase(byte_view key) {
  change c = change::erase(key);
  return apply({&c, 1}, durability::grouped);
}

std::expected<void, store_error> store::apply(std::span<const change> changes, durability how) {
  if (auto ok = impl_->enter(); !ok) return ok;
  change_log::mark mark = impl_->log.here();
  if (auto joined = impl_->join(changes); !joined || how == durability::grouped) return joined;
  auto flushed = impl_->flush();
  if (!flushed) impl_->log.cut(mark);
  return flushed;
}

std::expected<void, store_error> store::flush() {
  if (auto ok = impl_->enter(); !ok) return ok;
  return impl_->flush();
}

bool store::dirty() const { return !impl_->log.empty(); }

std::size_t store::unflushed_bytes() const { return impl_->log.size_bytes(); }

// ---- metadata and numbers

std::expected<std::optional<bytes>, store_error> store::get_meta(byte_view name) {
  if (auto ok = impl_->enter(); !ok) return std::unexpected(std::move(ok.error()));
  auto read = store_read::begin(*impl_);
  if (!read) return std::unexpected(std::move(read.error()));
  std::optional<bytes> content;
  if (int rc = tree::get_meta(read->txn(), impl_->env->dbi(), name, content))
    return store_failed(rc, "read metadatum");
  return content;
}

std::expected<void, store_error> store::set_meta(byte_view name, byte_view content) {
  change c = change::set_meta(name, content);
  return apply({&c, 1}, durability::grouped);
}

std::expected<std::uint64_t, store_error> store::count() {
  if (auto ok = impl_->enter(); !ok) return std::unexpected(std::move(ok.error()));
  auto read = store_read::begin(*impl_);
  if (!read) return std::unexpected(std::move(read.error()));
  auto cursor = read->cursor(impl_->env->dbi());
  if (!cursor) return std::unexpected(std::move(cursor.error()));
  MDB_stat stat;
  std::vector<tree::meta_entry> meta;
  int rc = mdb_stat(read->txn(), impl_->env->dbi(), &stat);
  if (rc == 0) rc = tree::all_meta(*cursor, meta);
  if (rc != 0) return store_failed(rc, "count records");
  return stat.ms_entries - meta.size();
}

std::uint64_t store::file_bytes() const { return impl_->env->file_pages() * 4096; }

std::expected<store_stats, store_error> store::stats() {
  auto records = count();
  if (!records) return std::unexpected(std::move(records.error()));
  auto free = impl_->env->free_pages();
  if (!free) return std::unexpected(std::move(free.error()));
  return store_stats{*records, impl_->env->map_bytes(), impl_->env->file_pages(), *free};
}

}  // namespace floe
