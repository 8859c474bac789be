#include "actors/clib/records.hpp"

#include <algorithm>

#include "protocol/record_status.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/types/record_access.hpp"
#include "protocol/wire/codec.hpp"

namespace floe::clib {
namespace {

/// The node ends a wait at its limit and says why; its answer needs a moment to get here.
constexpr std::chrono::seconds answer_slack{5};
constexpr std::uint32_t page_bytes = 256 * 1024;

std::unexpected<failure> explained(failure f) {
  switch (f.status) {
    case record_status_not_held: f.code = FLOE_ENOLOCK; break;
    case record_status_timed_out: f.code = FLOE_ETIMEOUT; break;
    case record_status_storage: f.code = FLOE_ESTORE; break;
    case record_status_unknown_db: f.code = FLOE_ENOENT; break;
    default: break;
  }
  return std::unexpected(std::move(f));
}

std::unexpected<failure> unreadable(const wire::error& e) { return failed(FLOE_EREPLY, e.text()); }

}  // namespace

table_patience patience_in_table(int timeout_ms) {
  if (timeout_ms < 0) return table_patience::forever();
  return {static_cast<std::uint64_t>(timeout_ms) * 1000};
}

namespace {

table_patience patience_in_table(const limit& l) {
  if (!l) return table_patience::forever();
  return {static_cast<std::uint64_t>(std::max<std::int64_t>(0, in_us(*l - steady::now())))};
}

failure held_by_another(const shared_table& t, byte_view key) {
  std::string text = "not granted in time: ";
  const auto process = t.user.holder_process(key);
  text += process > 0 ? "held by process " + std::to_string(process) + " of this node"
                      : "many want the record";
  return {.code = FLOE_ETIMEOUT, .text = std::move(text), .status = record_status_timed_out};
}

/// A table, if there is one, and the number of a lock in it, which is kept on success only.
class numbered {
 public:
  explicit numbered(std::shared_ptr<shared_table> t)
      : table_(std::move(t)), number_(table_ ? table_->numbers.take() : 0) {}
  ~numbered() {
    if (table_) table_->numbers.give_back(number_);
  }
  numbered(const numbered&) = delete;
  const std::shared_ptr<shared_table>& table() const { return table_; }
  /// 0: there is none, and no lock in the table.
  std::uint32_t number() const { return number_; }
  std::uint32_t keep() { return std::exchange(number_, 0); }

 private:
  std::shared_ptr<shared_table> table_;
  std::uint32_t number_;
};

/// An old `h` lends its memory.
void fill_held(held_record& h, const record_name& r, std::shared_ptr<shared_table> table,
               std::uint32_t number, const table_place& place) {
  table_content c;
  (void)table->user.read_locked(place, c, h.data);
  h.id = 0;
  h.header = {.rsn = rsn{c.rsn}, .dmaster = r.self, .flags = c.flags};
  h.db = r.db;
  h.key.assign(r.key);
  h.table = std::move(table);
  h.number = number;
  h.place = place;
}

held_record held_in_table(const std::shared_ptr<channel>& line, const record_name& r,
                          numbered& mine, const table_place& place) {
  held_record h;
  fill_held(h, r, mine.table(), mine.keep(), place);
  h.line = line;
  return h;
}

/// By the socket: the record comes here. With a number the node may grant the lock in the table, or say that the record is
/// there (nothing).
outcome<std::optional<held_record>> ask_for_lock(const std::shared_ptr<channel>& line,
                                                 const record_name& r, limit until,
                                                 numbered& mine) {
  const auto ms = milliseconds_left(until, 1);
  const auto number = mine.number();
  const auto data = encode_request<control::record_lock>(
      {.db_id = r.db,
       .flags = number == 0 ? 0 : record_lock_in_table | number << record_lock_thread_shift,
       // for the node 0 is no limit
       .timeout_ms = ms < 0 ? 0 : static_cast<std::uint32_t>(ms),
       .key = r.key});
  const table_claim claim{number == 0 ? nullptr : mine.table(), number, bytes(r.key)};
  const auto a =
      line->ask({.opcode = control::record_lock, .data = data}, later(until, answer_slack), &claim);
  if (!a) {
    if (a.error().status == record_status_in_table && number != 0) return std::nullopt;
    if (a.error().code == FLOE_ETIMEOUT)
      mine.keep();  // the node may grant it yet: the number goes with the answer
    return explained(a.error());
  }
  const auto granted = decode_reply<control::record_lock>(a->data);
  if (!granted) return unreadable(granted.error());
  if (granted->lock_id != 0)
    return held_record{.line = line,
                       .id = granted->lock_id,
                       .header = granted->header,
                       .data = bytes(granted->data),
                       .db = r.db,
                       .key = bytes(r.key)};
  const auto place =
      number == 0 ? std::nullopt : find(mine.table()->user.memory(), r.key, table_hash(r.key));
  if (!place) return failed(FLOE_EREPLY, "the record table is damaged");
  return held_in_table(line, r, mine, *place);
}

}  // namespace

outcome<held_record> lock_record(const std::shared_ptr<channel>& line, const record_name& r,
                                 int timeout_ms) {
  const auto until = within(timeout_ms);
  auto table = line->table(r.db, later(until, answer_slack));
  if (table && table->only_read) table = nullptr;
  numbered mine(std::move(table));
  for (;;) {
    if (mine.number() != 0) {
      table_place place;
      switch (mine.table()->user.lock(r.key, mine.number(), patience_in_table(until), place)) {
        case table_answer::good: return held_in_table(line, r, mine, place);
        case table_answer::busy:
        case table_answer::timed_out: return std::unexpected(held_by_another(*mine.table(), r.key));
        case table_answer::disconnected:
          return failed(FLOE_ELOST, "the connection to the node is lost");
        default: break;
      }
    }
    auto granted = ask_for_lock(line, r, until, mine);
    // nothing was asked, and nobody has waited in the table
    if (!granted && granted.error().unsent && mine.number() == 0)
      return failed(FLOE_ENOTCONN, granted.error().text);
    if (!granted) return std::unexpected(granted.error());
    if (*granted) return std::move(**granted);
  }
}

outcome<bool> lock_hot_record(std::shared_ptr<shared_table> table, const record_name& r,
                              int timeout_ms, std::uint64_t now_us, held_record& held) {
  const auto number = table->only_read ? 0 : table->numbers.take();
  if (number == 0) return false;
  table_place place;
  const auto a = table->user.lock(r.key, number, patience_in_table(timeout_ms), place, now_us);
  if (a == table_answer::good) {
    held.line = nullptr;
    fill_held(held, r, std::move(table), number, place);
    return true;
  }
  table->numbers.give_back(number);
  if (a == table_answer::busy || a == table_answer::timed_out)
    return std::unexpected(held_by_another(*table, r.key));
  return false;
}

bool store_hot_record(held_record& held, byte_view data, std::uint64_t now_us) {
  if (held.table->user.store(held.place, held.number, data, now_us) != table_answer::good)
    return false;
  held.data.assign(data);
  held.header.rsn = next(held.header.rsn);
  return true;
}

namespace {

/// What is stored does not fit into the table, or the node was silent: the lock becomes one by number.
outcome<void> take_over(held_record& held, limit until) {
  const auto data = encode_request<control::record_lock>(
      {.db_id = held.db,
       .flags = record_lock_take_over | held.number << record_lock_thread_shift,
       .timeout_ms = 0,
       .key = held.key});
  const auto a = held.line->ask({.opcode = control::record_lock, .data = data}, until);
  if (!a) return explained(a.error());
  const auto r = decode_reply<control::record_lock>(a->data);
  if (!r) return unreadable(r.error());
  held.table->numbers.give_back(held.number);
  held.table = nullptr;
  held.id = r->lock_id;
  return {};
}

outcome<void> store_in_table(held_record& held, byte_view data, limit until) {
  switch (held.table->user.store(held.place, held.number, data)) {
    case table_answer::good: return {};
    case table_answer::to_node: return take_over(held, until);
    case table_answer::disconnected:
      return failed(FLOE_ELOST, "the connection to the node is lost");
    default: return failed(FLOE_ENOLOCK, "the node has taken the lock back");
  }
}

}  // namespace

outcome<void> store_record(held_record& held, byte_view data, limit until) {
  if (held.table)
    if (const auto done = store_in_table(held, data, until); !done) return done;
  if (!held.table) {
    const auto request =
        data.empty() ? encode_request<control::record_delete>({.lock_id = held.id})
                     : encode_request<control::record_store>({.lock_id = held.id, .data = data});
    const auto a = held.line->ask(
        {.opcode = data.empty() ? control::record_delete : control::record_store, .data = request},
        until);
    if (!a) return explained(a.error());
  }
  held.data.assign(data);
  held.header.rsn = next(held.header.rsn);
  return {};
}

outcome<void> unlock_hot_record(held_record& held) {
  const auto a = held.table->user.unlock(held.place, held.number);
  held.table->numbers.give_back(held.number);
  if (a == table_answer::good) return {};
  return failed(FLOE_ENOLOCK, "the node has taken the lock back");
}

outcome<void> unlock_record(held_record& held, limit until) {
  if (held.table) return unlock_hot_record(held);
  const auto request = encode_request<control::record_unlock>({.lock_id = held.id});
  return held.line->tell({.opcode = control::record_unlock, .data = request}, until);
}

outcome<bool> read_hot_record(shared_table& table, const record_name& r, std::uint32_t flags,
                              table_patience patience, std::uint64_t now_us, seen_record& seen) {
  if (table.only_read && !(flags & record_read_settled)) return false;
  table_content c;
  const auto how = flags & record_read_local ? read_wait::none : read_wait::for_holder;
  switch (table.user.read(r.key, 0, how, patience, c, seen.data, now_us)) {
    case table_answer::good:
      seen.filled = c.length > 0;
      seen.header = {.rsn = rsn{c.rsn}, .dmaster = r.self, .flags = c.flags};
      return true;
    case table_answer::timed_out: return std::unexpected(held_by_another(table, r.key));
    default: return false;
  }
}

outcome<seen_record> read_record(channel& line, const record_name& r, std::uint32_t flags,
                                 limit until) {
  if (const auto table = line.table(r.db, until)) {
    seen_record seen;
    const auto there =
        read_hot_record(*table, r, flags, patience_in_table(until), table_coarse_us(), seen);
    if (!there) return std::unexpected(there.error());
    if (*there) return seen;
  }
  const auto request =
      encode_request<control::record_read>({.db_id = r.db, .flags = flags, .key = r.key});
  const auto a = line.ask({.opcode = control::record_read, .data = request}, until);
  if (!a) return explained(a.error());
  const auto told = decode_reply<control::record_read>(a->data);
  if (!told) return unreadable(told.error());
  return seen_record{told->found != 0, told->header, bytes(told->data)};
}

outcome<record_page> scan_records(channel& line, db_id db, byte_view after, limit until) {
  const auto request =
      encode_request<control::record_scan>({.db_id = db, .max_bytes = page_bytes, .after = after});
  const auto a = line.ask({.opcode = control::record_scan, .data = request}, until);
  if (!a) return explained(a.error());
  const auto r = decode_reply<control::record_scan>(a->data);
  if (!r) return unreadable(r.error());
  return record_page{a->packet, *r};
}

}  // namespace floe::clib
