/// Common controls with types, and texts for people.
#include <floe/async.hpp>

#include "actors/async/core.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/statistics.hpp"
#include "protocol/types/tunable_value.hpp"
#include "protocol/types/vnn_map.hpp"
#include "protocol/wire/json.hpp"

namespace floe::async {
namespace {

async::error unreadable(std::uint32_t from, const std::string& why) {
  return {.code = errc::bad_reply, .status = 0, .node = from, .text = why};
}

/// A question whose answer is what C's reply becomes by `show`.
template <floe::control C, auto show, class T = std::remove_cvref_t<decltype(show(reply_of<C>{}))>>
question<T> decoded(const request_of<C>& request = {}) {
  return {.opcode = static_cast<std::uint32_t>(C),
          .request = encode_request<C>(request),
          .read = [](std::uint32_t from, const reply& r) -> result<T> {
            const auto value = decode_reply<C>(r.data);
            if (value) return show(*value);
            // a positive status without data is how some controls say no
            if (r.status == 0) return unreadable(from, value.error().text());
            return async::error{
                .code = errc::refused, .status = r.status, .node = from, .text = {}};
          }};
}

/// A question that the status answers.
template <floe::control C, class T>
question<T> by_status(bytes request = {}) {
  return {
      .opcode = static_cast<std::uint32_t>(C),
      .request = std::move(request),
      .read = [](std::uint32_t, const reply& r) -> result<T> { return static_cast<T>(r.status); }};
}

vnn_map shown_map(const floe::vnn_map& m) {
  vnn_map map{.generation = number(m.generation), .slots = {}};
  for (const auto n : m.slots) map.slots.push_back(number(n));
  return map;
}
std::vector<node_state> shown_nodes(const node_map& m) {
  std::vector<node_state> all;
  for (const auto& n : m.nodes)
    all.push_back({.pnn = number(n.pnn), .flags = n.flags, .address = address_text(n.addr)});
  return all;
}
std::vector<database_state> shown_databases(const dbid_map& m) {
  std::vector<database_state> all;
  for (const auto& d : m.dbs) all.push_back({.id = number(d.db_id), .flags = d.flags});
  return all;
}
counters shown_counters(const statistics& s) {
  return {.clients = s.num_clients,
          .frozen = s.frozen,
          .recovering = s.recovering,
          .recoveries = s.num_recoveries,
          .calls = s.total_calls,
          .pending_calls = s.pending_calls,
          .lock_calls = s.locks_num_calls,
          .lock_current = s.locks_num_current,
          .lock_pending = s.locks_num_pending,
          .lock_failed = s.locks_num_failed,
          .lock_longest = s.locks_latency.max,
          .lock_total = s.locks_latency.total,
          .client_controls = s.client_req_control,
          .client_messages = s.client_req_message,
          .node_packets_sent = s.node_packets_sent,
          .node_packets_received = s.node_packets_recv,
          .memory = s.memory_used};
}
std::string shown_text(const wire::string& s) { return std::string(s.value); }
std::uint32_t shown_stage(const runstate& s) { return static_cast<std::uint32_t>(s); }
std::uint32_t shown_number(std::uint32_t n) { return n; }
std::uint64_t shown_sequence(std::uint64_t n) { return n; }

}  // namespace

namespace questions {

using c = floe::control;

question<std::uint32_t> ping() { return by_status<c::ping, std::uint32_t>(); }
question<std::uint32_t> node_number() { return by_status<c::get_pnn, std::uint32_t>(); }
question<std::int32_t> process_id() { return by_status<c::get_pid, std::int32_t>(); }
question<mode> recovery_mode() { return by_status<c::get_recmode, mode>(); }
question<std::uint32_t> run_state() { return decoded<c::get_runstate, shown_stage>(); }
question<vnn_map> map() { return decoded<c::getvnnmap, shown_map>(); }
question<std::vector<node_state>> nodes() { return decoded<c::get_nodemap, shown_nodes>(); }
question<std::vector<database_state>> databases() {
  return decoded<c::get_dbmap, shown_databases>();
}
question<std::string> database_name(std::uint32_t db) {
  return decoded<c::get_dbname, shown_text>(db_id{db});
}
question<std::uint64_t> sequence_number(std::uint32_t db) {
  return decoded<c::get_db_seqnum, shown_sequence>({.db_id = db_id{db}});
}
question<counters> statistics() { return decoded<c::statistics, shown_counters>(); }
question<std::uint32_t> tunable(std::string_view name) {
  return decoded<c::get_tunable, shown_number>({.name = name});
}
question<bool> set_tunable(std::string_view name, std::uint32_t value) {
  return by_status<c::set_tunable, bool>(
      encode_request<c::set_tunable>({.value = value, .name = name}));
}

}  // namespace questions

std::string described(std::uint32_t opcode, const reply& r) {
  wire::json_writer out;
  out.begin_object();
  out.integer("status", r.status);
  const auto* row = find_control(floe::control{opcode});
  wire::json_writer value;
  value.begin_object();
  wire::json_sink sink(value);
  if (row && row->reply->show(r.data, sink, "data")) {
    value.end();
    out.raw("answer", value.str());
  } else {
    out.text("octets", wire::to_hex(r.data));
  }
  out.end();
  return out.take();
}

const char* name(errc code) noexcept {
  switch (code) {
    case errc::not_connected: return "not connected";
    case errc::timed_out: return "timed out";
    case errc::refused: return "refused";
    case errc::disconnected: return "connection lost";
    case errc::bad_reply: return "answer not understood";
    case errc::no_lock: return "lock not held";
    case errc::no_database: return "no such database";
    case errc::not_stored: return "the node cannot write";
  }
  return "?";
}

const char* name(phase p) noexcept {
  switch (p) {
    case phase::serving: return "serving";
    case phase::freezing: return "freezing";
    case phase::frozen: return "frozen";
    case phase::exchanging: return "exchanging";
  }
  return "?";
}

std::string error::describe() const {
  std::string out = name(code);
  if (node != here) out += " by node " + std::to_string(node);
  if (code == errc::refused && status != 0) out += " (" + std::to_string(status) + ")";
  if (!text.empty()) out += ": " + text;
  return out;
}

const char* version() noexcept { return FLOE_CLIENT_VERSION; }

}  // namespace floe::async
