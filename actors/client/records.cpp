#include "actors/client/records.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include "actors/client/client_tables.hpp"
#include "protocol/constants.hpp"
#include "protocol/hash.hpp"
#include "protocol/record_status.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/record_access.hpp"

namespace floe {
namespace {

/// The node gives up at `patience` and says why; its answer needs a moment to get here.
constexpr duration answer_slack = std::chrono::seconds(5);

std::optional<db_id> parse_id(byte_view text) {
  if (!text.starts_with("0x")) return std::nullopt;
  std::uint32_t id = 0;
  const auto* end = text.data() + text.size();
  const auto r = std::from_chars(text.data() + 2, end, id, 16);
  if (r.ec != std::errc() || r.ptr != end) return std::nullopt;
  return db_id{id};
}

std::uint32_t read_flags(read_from from) {
  switch (from) {
    case read_from::owner: return 0;
    case read_from::settled: return record_read_settled;
    case read_from::this_node: return record_read_local;
  }
  std::unreachable();
}

/// What a node answers to record controls, in the caller's terms.
client_error record_error(client_error e) {
  if (e.code == client_errc::refused && e.status == record_status_timed_out)
    e.code = client_errc::timed_out;
  return e;
}

reply_handler without_value(when_done<void> done) {
  return [done = std::move(done)](const result<client_reply>& r) {
    if (r)
      done({});
    else
      done(std::unexpected(record_error(r.error())));
  };
}

}  // namespace

void attach(client& c, byte_view name, db_kind kind, duration patience, when_done<db_id> done) {
  const auto opcode = kind == db_kind::persistent   ? control::db_attach_persistent
                      : kind == db_kind::replicated ? control::db_attach_replicated
                                                    : control::db_attach;
  c.send_control(pnn::current, opcode, wire::encode(wire::string{name}), patience,
                 [done = std::move(done)](const result<client_reply>& r) {
                   const auto a = decode_answer<control::db_attach>(r, pnn::current);
                   if (a)
                     done(a->value);
                   else
                     done(std::unexpected(a.error()));
                 });
}

void allow_copies(client& c, db_id db, duration patience, when_done<void> done) {
  c.send_control(pnn::current, control::set_db_readonly,
                 encode_request<control::set_db_readonly>(db), patience,
                 without_value(std::move(done)));
}

void find_database(client& c, byte_view name_or_id, duration patience, when_done<db_id> done) {
  const auto wanted = parse_id(name_or_id).value_or(db_id_of(name_or_id));
  c.control<control::get_dbmap>(
      pnn::current, {}, patience,
      [wanted, name = bytes(name_or_id),
       done = std::move(done)](const result<client_answer<dbid_map>>& map) {
        if (!map) return done(std::unexpected(map.error()));
        for (const auto& d : map->value.dbs)
          if (d.db_id == wanted) return done(wanted);
        done(std::unexpected(client_error{client_errc::refused, record_status_unknown_db,
                                          "no database " + name + " is attached", pnn::current}));
      });
}

void lock_record(client& c, db_id db, byte_view key, duration patience,
                 when_done<locked_record> done) {
  if (auto* t = c.tables(); t && t->usable(c, db))
    return t->lock(c, db, key, patience, std::move(done));
  const auto ms = in_ms(patience);
  request_options o;
  o.late = [&c](const result<client_reply>& r) {
    const auto a = decode_answer<control::record_lock>(r, pnn::current);
    if (a) unlock_record(c, a->value.lock_id, answer_slack, [](const result<void>&) {});
  };
  c.control<control::record_lock>(
      pnn::current,
      {.db_id = db,
       .timeout_ms = static_cast<std::uint32_t>(std::clamp<std::int64_t>(ms, 1, UINT32_MAX)),
       .key = key},
      patience + answer_slack,
      [done = std::move(done)](const result<client_answer<record_lock_reply>>& a) {
        if (!a) return done(std::unexpected(record_error(a.error())));
        done(locked_record{a->value.lock_id, a->value.header, bytes(a->value.data)});
      },
      std::move(o));
}

void read_record(client& c, db_id db, byte_view key, read_from from, duration patience,
                 when_done<read_record_answer> done) {
  if (auto* t = c.tables(); t && from == read_from::owner && t->usable(c, db))
    return t->read(c, db, key, patience, std::move(done));
  read_by_socket(c, db, key, from, patience, std::move(done));
}

void read_by_socket(client& c, db_id db, byte_view key, read_from from, duration patience,
                    when_done<read_record_answer> done) {
  c.control<control::record_read>(
      pnn::current, {.db_id = db, .flags = read_flags(from), .key = key}, patience,
      [done = std::move(done)](const result<client_answer<record_read_reply>>& a) {
        if (!a) return done(std::unexpected(record_error(a.error())));
        done(read_record_answer{a->value.found != 0, a->value.header, bytes(a->value.data)});
      });
}

void store_record(client& c, std::uint64_t lock_id, byte_view data, after_write then,
                  duration patience, when_done<void> done) {
  if (auto* t = c.tables(); t && client_tables::is_ours(lock_id))
    return t->store(c, lock_id, data, then, patience, std::move(done));
  c.send_control(pnn::current, control::record_store,
                 encode_request<control::record_store>(
                     {.lock_id = lock_id,
                      .flags = then == after_write::unlock ? record_store_unlock : 0,
                      .data = data}),
                 patience, without_value(std::move(done)));
}

void delete_record(client& c, std::uint64_t lock_id, after_write then, duration patience,
                   when_done<void> done) {
  if (auto* t = c.tables(); t && client_tables::is_ours(lock_id))
    return t->store(c, lock_id, {}, then, patience, std::move(done));
  c.send_control(
      pnn::current, control::record_delete,
      encode_request<control::record_delete>(
          {.lock_id = lock_id, .flags = then == after_write::unlock ? record_store_unlock : 0}),
      patience, without_value(std::move(done)));
}

void unlock_record(client& c, std::uint64_t lock_id, duration patience, when_done<void> done) {
  if (auto* t = c.tables(); t && client_tables::is_ours(lock_id))
    return t->unlock(c, lock_id, patience, std::move(done));
  c.send_control(pnn::current, control::record_unlock,
                 encode_request<control::record_unlock>({.lock_id = lock_id}), patience,
                 without_value(std::move(done)));
}

}  // namespace floe
