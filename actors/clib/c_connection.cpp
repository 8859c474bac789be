/// The C functions about connections, databases, messages and controls.
#include <algorithm>
#include <new>

#include "actors/clib/connection.hpp"
#include "actors/clib/value.hpp"
#include "protocol/constants.hpp"
#include "protocol/db_kind.hpp"
#include "protocol/hash.hpp"
#include "protocol/types/database.hpp"
#include "protocol/wire/codec.hpp"

using namespace floe;
using namespace floe::clib;

namespace {

constexpr unsigned known_flags = FLOE_RECONNECT | FLOE_PRIVILEGED | FLOE_COMPANION;

}  // namespace

int floe_connect(const char* where, unsigned flags, int timeout_ms, floe_connection** out) {
  return guarded([&]() -> outcome<void> {
    if (!out) return failed(FLOE_EINVAL, "nowhere to put the connection");
    *out = nullptr;
    if (!where || flags & ~known_flags) return failed(FLOE_EINVAL, "no place, or unknown flags");
    auto made = node_connection::open(where, flags, within(timeout_ms));
    if (!made) return std::unexpected(made.error());
    *out = new floe_connection{std::move(*made)};
    return {};
  });
}

void floe_disconnect(floe_connection* c) { delete c; }
uint32_t floe_pnn(floe_connection* c) { return number(c ? c->is->self() : pnn::unknown); }
void floe_set_patience(floe_connection* c, int timeout_ms) {
  if (c) c->is->set_patience(timeout_ms);
}

int floe_fd(floe_connection* c) {
  int fd = -1;
  const int failure = guarded([&]() -> outcome<void> {
    const auto made = of(c).descriptor();
    if (!made) return std::unexpected(made.error());
    fd = *made;
    return {};
  });
  return failure ? failure : fd;
}

int floe_attach(floe_connection* c, const char* name, floe_kind kind, int timeout_ms,
                floe_db* out) {
  return guarded([&]() -> outcome<void> {
    if (!name || kind < FLOE_VOLATILE || kind > FLOE_REPLICATED)
      return failed(FLOE_EINVAL, "no name, or no kind");
    const auto id = of(c).attach(name, static_cast<db_kind>(kind), within(timeout_ms));
    if (!id) return std::unexpected(id.error());
    if (out) *out = number(*id);
    return {};
  });
}

int floe_find(floe_connection* c, const char* name, int timeout_ms, floe_db* out, floe_kind* kind) {
  return guarded([&]() -> outcome<void> {
    if (!name) return failed(FLOE_EINVAL, "no name");
    const auto until = within(timeout_ms);
    const auto line = of(c).line(until);
    if (!line) return std::unexpected(line.error());
    const auto a = (*line)->ask({.opcode = control::get_dbmap}, until);
    if (!a) return std::unexpected(a.error());
    const auto map = decode_reply<control::get_dbmap>(a->data);
    if (!map) return failed(FLOE_EREPLY, map.error().text());
    for (const auto& d : map->dbs) {
      if (d.db_id != db_id_of(name)) continue;
      if (out) *out = number(d.db_id);
      if (kind) *kind = static_cast<floe_kind>(kind_of(d.flags));
      return {};
    }
    return failed(FLOE_ENOENT, std::string("no database ") + name + " is attached");
  });
}

int floe_allow_copies(floe_connection* c, floe_db db, int timeout_ms) {
  return guarded([&]() -> outcome<void> {
    const auto until = within(timeout_ms);
    const auto line = of(c).line(until);
    if (!line) return std::unexpected(line.error());
    const auto data = encode_request<control::set_db_readonly>(db_id{db});
    const auto a = (*line)->ask({.opcode = control::set_db_readonly, .data = data}, until);
    if (!a) return std::unexpected(a.error());
    return {};
  });
}

namespace {

/// By the node. Of a volatile database the table has it, and the question is whether the node still answers for that.
outcome<std::uint64_t> sequence_number_told(channel& line, db_id db, limit until) {
  const auto data = encode_request<control::get_db_seqnum>({db});
  const auto a = line.ask({.opcode = control::get_db_seqnum, .data = data}, until);
  if (!a) return std::unexpected(a.error());
  const auto n = decode_reply<control::get_db_seqnum>(a->data);
  if (!n) return failed(FLOE_EREPLY, n.error().text());
  return *n;
}

outcome<bool> is_volatile(channel& line, db_id db, limit until) {
  const auto a = line.ask({.opcode = control::get_dbmap}, until);
  if (!a) return std::unexpected(a.error());
  const auto map = decode_reply<control::get_dbmap>(a->data);
  if (!map) return failed(FLOE_EREPLY, map.error().text());
  return std::ranges::any_of(map->dbs, [&](const auto& d) {
    return d.db_id == db && kind_of(d.flags) == db_kind::volatile_db;
  });
}

outcome<std::uint64_t> sequence_number(node_connection& c, db_id db, limit until) {
  if (const auto hot = c.hot_table(db, table_coarse_us()); hot && !hot->only_read)
    if (const auto n = hot->user.valid_sequence_number()) return *n;
  const auto line = c.line(until);
  if (!line) return std::unexpected(line.error());
  auto table = (*line)->table(db, until);
  const bool counts = table && !table->only_read;
  if (counts)
    if (const auto n = table->user.valid_sequence_number()) return *n;
  // of a table that nobody has used for a second: to be asked makes the node answer for it again
  const auto told = sequence_number_told(**line, db, until);
  if (!told) return told;
  if (counts && !table->user.valid_sequence_number())
    table = (*line)->table_after(table, db, until);
  if (table && !table->only_read) {
    if (const auto n = table->user.valid_sequence_number()) return *n;
    return failed(FLOE_EREFUSED, "the node does not answer for what it has of this database");
  }
  if (*told != 0) return told;
  const auto counted_by_nobody = is_volatile(**line, db, until);
  if (!counted_by_nobody) return std::unexpected(counted_by_nobody.error());
  if (*counted_by_nobody)
    return failed(FLOE_EREFUSED,
                  "nobody counts the changes of this database: it has no record table");
  return told;
}

}  // namespace

int floe_sequence_number(floe_connection* c, floe_db db, int timeout_ms, uint64_t* out) {
  return guarded([&]() -> outcome<void> {
    const auto n = sequence_number(of(c), db_id{db}, within(timeout_ms));
    if (!n) return std::unexpected(n.error());
    if (out) *out = *n;
    return {};
  });
}

int floe_listen(floe_connection* c, uint64_t s, floe_handler run, void* context) {
  return guarded([&] {
    node_connection::listener hears;
    if (run)
      hears = [run, context](const letter& l) {
        run(l.to.id, number(l.from), l.data.data(), l.data.size(), context);
      };
    return of(c).listen({letter_box_name::kind::message, s}, std::move(hears));
  });
}

int floe_send(floe_connection* c, uint32_t to, uint64_t s, const void* data, size_t size) {
  return guarded([&]() -> outcome<void> {
    const auto until = of(c).patience();
    const auto line = of(c).line(until);
    if (!line) return std::unexpected(line.error());
    return (*line)->post(pnn{to}, srvid{s}, octets(data, size), until);
  });
}

int floe_process(floe_connection* c, int timeout_ms) {
  int handled = 0;
  const int failure = guarded([&]() -> outcome<void> {
    const auto n = of(c).process(within(timeout_ms));
    if (!n) return std::unexpected(n.error());
    handled = *n;
    return {};
  });
  return failure ? failure : handled;
}

int floe_control(floe_connection* c, uint32_t to, uint32_t opcode, uint64_t s, const void* data,
                 size_t size, int timeout_ms, int32_t* status, floe_value* out) {
  return guarded([&]() -> outcome<void> {
    if (out) *out = {};
    const auto until = within(timeout_ms);
    const auto line = of(c).line(until);
    if (!line) return std::unexpected(line.error());
    const auto a = (*line)->ask(
        {.to = pnn{to}, .opcode = control{opcode}, .srvid = srvid{s}, .data = octets(data, size)},
        until);
    if (!a) return std::unexpected(a.error());
    if (status) *status = a->status;
    return out ? fill(*out, a->data) : outcome<void>{};
  });
}
