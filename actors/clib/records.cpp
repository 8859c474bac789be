#include "actors/clib/records.hpp"

#include <algorithm>

#include "protocol/record_status.hpp"
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

outcome<held_record> lock_record(const std::shared_ptr<channel>& line, db_id db, byte_view key, int timeout_ms) {
  const auto data = encode_request<control::record_lock>(
      {.db_id = db,
       // for the node 0 is no limit
       .timeout_ms = timeout_ms < 0 ? 0 : static_cast<std::uint32_t>(std::max(1, timeout_ms)),
       .key = key});
  const auto a = line->ask({.opcode = control::record_lock, .data = data}, later(within(timeout_ms), answer_slack));
  if (!a) return explained(a.error());
  const auto r = decode_reply<control::record_lock>(a->data);
  if (!r) return unreadable(r.error());
  return held_record{line, r->lock_id, r->header, bytes(r->data)};
}

outcome<void> store_record(held_record& held, byte_view data, limit until) {
  const auto request = data.empty()
                           ? encode_request<control::record_delete>({.lock_id = held.id})
                           : encode_request<control::record_store>({.lock_id = held.id, .data = data});
  const auto a = held.line->ask(
      {.opcode = data.empty() ? control::record_delete : control::record_store, .data = request}, until);
  if (!a) return explained(a.error());
  held.data.assign(data);
  held.header.rsn = next(held.header.rsn);
  return {};
}

outcome<void> unlock_record(const held_record& held, limit until) {
  const auto request = encode_request<control::record_unlock>({.lock_id = held.id});
  return held.line->tell({.opcode = control::record_unlock, .data = request}, until);
}

outcome<seen_record> read_record(channel& line, db_id db, byte_view key, std::uint32_t flags, limit until) {
  const auto request = encode_request<control::record_read>({.db_id = db, .flags = flags, .key = key});
  const auto a = line.ask({.opcode = control::record_read, .data = request}, until);
  if (!a) return explained(a.error());
  const auto r = decode_reply<control::record_read>(a->data);
  if (!r) return unreadable(r.error());
  return seen_record{r->found != 0, r->header, bytes(r->data)};
}

outcome<record_page> scan_records(channel& line, db_id db, byte_view after, limit until) {
  const auto request = encode_request<control::record_scan>({.db_id = db, .max_bytes = page_bytes, .after = after});
  const auto a = line.ask({.opcode = control::record_scan, .data = request}, until);
  if (!a) return explained(a.error());
  const auto r = decode_reply<control::record_scan>(a->data);
  if (!r) return unreadable(r.error());
  return record_page{a->packet, *r};
}

}  // namespace floe::clib
