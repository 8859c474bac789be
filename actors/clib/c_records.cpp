/// The C functions about records: locks, reads, traverses.
#include <unistd.h>

#include <atomic>
#include <memory>
#include <vector>

#include "actors/clib/connection.hpp"
#include "actors/clib/records.hpp"
#include "actors/clib/value.hpp"
#include "protocol/messages.hpp"
#include "protocol/record_status.hpp"
#include "protocol/types/traverse.hpp"
#include "protocol/wire/codec.hpp"

using namespace floe;
using namespace floe::clib;

struct floe_lock {
  node_connection* of = nullptr;
  std::uint32_t life = 0;  ///< of `of`, when it was got
  held_record held{};
};

namespace {

outcome<void> still_held(floe_lock* l, std::uint64_t now_us) {
  if (!l) return failed(FLOE_EINVAL, "no lock");
  // in the child of a fork nothing of a table is looked at: its memory is not there
  const bool ours = l->life == l->of->life();
  if (ours &&
      (l->held.table ? l->of->trusted(*l->held.table, now_us) : l->of->current(l->held.line)))
    return {};
  return failed(FLOE_ENOLOCK, "the lock ended with the connection that it was taken by");
}

outcome<void> write(floe_lock* l, byte_view data) {
  const auto now_us = table_coarse_us();
  if (const auto held = still_held(l, now_us); !held) return held;
  if (l->held.table && store_hot_record(l->held, data, now_us)) return {};
  const auto until = l->of->patience();
  if (!l->held.line) {
    const auto line = l->of->line(until);
    if (!line) return std::unexpected(line.error());
    l->held.line = *line;
  }
  return store_record(l->held, data, until);
}

/// Locks that were given back lend their memory to the next ones of this thread.
struct spare_locks {
  static constexpr std::size_t most = 8;
  std::vector<std::unique_ptr<floe_lock>> all;

  std::unique_ptr<floe_lock> take() {
    if (all.empty()) return std::make_unique<floe_lock>();
    auto one = std::move(all.back());
    all.pop_back();
    return one;
  }
  void keep(floe_lock* l) {
    std::unique_ptr<floe_lock> mine(l);
    l->held.line = nullptr;
    l->held.table = nullptr;
    if (all.size() < most) all.push_back(std::move(mine));
  }
};
thread_local spare_locks spare;

/// Memory that a thread's reads without a lock have in common.
class spare_record {
 public:
  spare_record() { is_.data.swap(lent_); }
  ~spare_record() {
    if (is_.data.capacity() <= most) lent_.swap(is_.data);
  }
  spare_record(const spare_record&) = delete;
  seen_record& operator*() { return is_; }

 private:
  static constexpr std::size_t most = 64 * 1024;
  static thread_local bytes lent_;
  seen_record is_;
};
thread_local bytes spare_record::lent_;

// --- traverses ---------------------------------------------------------------------------------------------------

struct shown {
  floe_visitor visit;
  void* context;
  unsigned flags;
  std::uint64_t count = 0;
  bool ended = false;

  void operator()(const record_view& r) {
    if (r.data.empty() && !(flags & FLOE_WITH_EMPTY)) return;
    ++count;
    const auto h = as_c(r.header);
    ended =
        visit && visit(r.key.data(), r.key.size(), r.data.data(), r.data.size(), &h, context) != 0;
  }
};

outcome<void> traverse_here(node_connection& c, db_id db, limit until, shown& to) {
  bytes last;
  for (;;) {
    const auto line = c.line(until);
    if (!line) return std::unexpected(line.error());
    const auto page = scan_records(**line, db, last, until);
    if (!page) return std::unexpected(page.error());
    if (page->records.empty()) return {};
    for (const rec_data& raw : page->records) {
      last.assign(raw.key);
      if (const auto r = raw.as_record()) to(*r);
      if (to.ended) return {};
    }
  }
}

/// An address for the records of one traverse, in the range that CTDB's client library uses.
srvid next_address() {
  static std::atomic<std::uint32_t> count{0};
  constexpr std::uint32_t count_mask = 0x007FFFFF, ours = 0x00800000;
  const auto n = (++count & count_mask) | ours;
  return nth(message::client_traverse,
             (static_cast<std::uint64_t>(n) << 32) | static_cast<std::uint32_t>(::getpid()));
}

outcome<void> traverse_cluster(node_connection& c, db_id db, limit until, shown& to) {
  const auto line = c.line(until);
  if (!line) return std::unexpected(line.error());
  auto& l = **line;
  const auto address = next_address();
  const auto box = std::make_shared<channel::mailbox>();
  const letter_box_name name{letter_box_name::kind::message, number(address)};
  l.open_box(name, box);
  const auto walk = [&]() -> outcome<void> {
    if (const auto r = l.ask({.opcode = control::register_srvid, .srvid = address}, until); !r)
      return std::unexpected(r.error());
    const auto request = encode_request<control::traverse_start_ext>(
        {.db_id = db,
         .reqid = reqid{1},
         .srvid = address,
         .withemptyrecords = to.flags & FLOE_WITH_EMPTY ? std::uint8_t{1} : std::uint8_t{0}});
    if (const auto r = l.ask({.opcode = control::traverse_start_ext, .data = request}, until); !r)
      return std::unexpected(r.error());
    while (!to.ended) {
      const auto m = l.take(*box, until);
      if (!m) return std::unexpected(m.error());
      if (!*m) return failed(FLOE_ETIMEOUT, "not all records have come in time");
      const auto d = wire::decode<rec_data>((*m)->data);
      if (!d) return failed(FLOE_EREPLY, d.error().text());
      if (d->is_end()) return {};
      if (const auto r = d->as_record()) to(*r);
    }
    return {};
  };
  const auto done = walk();
  l.close_box(name);
  if (const auto r = l.tell({.opcode = control::deregister_srvid, .srvid = address}, c.patience());
      !r && done)
    return r;
  return done;
}

}  // namespace

// --- locks -------------------------------------------------------------------------------------------------------

int floe_lock_record(floe_connection* c, floe_db db, const void* key, size_t key_size,
                     int timeout_ms, floe_lock** out) {
  return guarded([&]() -> outcome<void> {
    if (out) *out = nullptr;
    if (!out || !key || key_size == 0)
      return failed(FLOE_EINVAL, "no key, or nowhere to put the lock");
    auto lock = spare.take();
    lock->of = &of(c);
    lock->life = of(c).life();
    const record_name record{of(c).self(), db_id{db}, octets(key, key_size)};
    bool done = false;
    const auto now_us = table_coarse_us();
    if (auto table = of(c).hot_table(db_id{db}, now_us)) {
      const auto got = lock_hot_record(std::move(table), record, timeout_ms, now_us, lock->held);
      if (!got) return std::unexpected(got.error());
      done = *got;
    }
    if (!done) {
      const auto line = of(c).line(within(timeout_ms));
      if (!line) return std::unexpected(line.error());
      auto held = lock_record(*line, {of(c).self(), record.db, record.key}, timeout_ms);
      if (!held) return std::unexpected(held.error());
      lock->held = std::move(*held);
      if (auto table = (*line)->table(db_id{db}, within(timeout_ms)))
        of(c).remember(*line, db_id{db}, std::move(table));
    }
    *out = lock.release();
    return {};
  });
}

const void* floe_lock_data(const floe_lock* l, size_t* size) {
  if (size) *size = l ? l->held.data.size() : 0;
  return l ? l->held.data.data() : nullptr;
}

void floe_lock_header(const floe_lock* l, floe_header* out) {
  if (out) *out = l ? as_c(l->held.header) : floe_header{};
}

int floe_store(floe_lock* l, const void* data, size_t size) {
  return guarded([&] { return write(l, octets(data, size)); });
}

int floe_delete(floe_lock* l) {
  return guarded([&] { return write(l, {}); });
}

int floe_unlock(floe_lock* l) {
  const int done = guarded([&]() -> outcome<void> {
    if (const auto held = still_held(l, table_coarse_us()); !held) return held;
    if (l->held.table) return unlock_hot_record(l->held);
    return unlock_record(l->held, l->of->patience());
  });
  if (l) spare.keep(l);
  return done;
}

// --- reads -------------------------------------------------------------------------------------------------------

namespace {

/// In the record table, as long as the node is known to be there; else by the socket.
outcome<void> read(node_connection& c, db_id db, byte_view key, std::uint32_t flags, int timeout_ms,
                   seen_record& r) {
  const auto now_us = table_coarse_us();
  if (const auto table = c.hot_table(db, now_us)) {
    const auto there = read_hot_record(*table, {c.self(), db, key}, flags,
                                       patience_in_table(timeout_ms), now_us, r);
    if (!there) return std::unexpected(there.error());
    if (*there) return {};
  }
  const auto until = within(timeout_ms);
  const auto line = c.line(until);
  if (!line) return std::unexpected(line.error());
  auto got = read_record(**line, {c.self(), db, key}, flags, until);
  if (!got) return std::unexpected(got.error());
  r = std::move(*got);
  if (auto table = (*line)->table(db, until)) c.remember(*line, db, std::move(table));
  return {};
}

}  // namespace

int floe_read(floe_connection* c, floe_db db, const void* key, size_t key_size, int how,
              int timeout_ms, floe_value* out) {
  return guarded([&]() -> outcome<void> {
    if (out) *out = {};  // to be freed whatever comes of it
    if (!out || !key || key_size == 0)
      return failed(FLOE_EINVAL, "no key, or nowhere to put the value");
    if (how < FLOE_READ_OWNER || how > FLOE_READ_COPY)
      return failed(FLOE_EINVAL, "no such way of reading");
    const std::uint32_t flags = how == FLOE_READ_COPY      ? record_read_local
                                : how == FLOE_READ_SETTLED ? record_read_settled
                                                           : 0;
    spare_record record;
    auto& r = *record;
    if (const auto got = read(of(c), db_id{db}, octets(key, key_size), flags, timeout_ms, r); !got)
      return got;
    if (const auto f = fill(*out, r.data); !f) return f;
    out->header = as_c(r.header);
    out->exists = r.header.flags & record_flag::automatic ? 0 : 1;
    if (!r.filled) return failed(FLOE_ENOENT, "there is no such record");
    return {};
  });
}

int floe_traverse(floe_connection* c, floe_db db, unsigned flags, int timeout_ms,
                  floe_visitor visit, void* context, uint64_t* count) {
  return guarded([&]() -> outcome<void> {
    shown to{visit, context, flags};
    const auto until = within(timeout_ms);
    const auto done = flags & FLOE_LOCAL ? traverse_here(of(c), db_id{db}, until, to)
                                         : traverse_cluster(of(c), db_id{db}, until, to);
    if (count) *count = to.count;
    return done;
  });
}
