/// The C functions about many nodes, tunnels, processes and recoveries.
#include <algorithm>
#include <map>

#include "actors/clib/connection.hpp"
#include "actors/clib/value.hpp"
#include "protocol/constants.hpp"
#include "protocol/messages.hpp"
#include "protocol/types/client.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/recovery_news.hpp"
#include "protocol/types/tunable_value.hpp"
#include "protocol/wire/codec.hpp"

using namespace floe;
using namespace floe::clib;

namespace {

outcome<std::vector<pnn>> nodes_of(channel& line, std::uint32_t kind, limit until) {
  std::uint32_t left_out = 0;
  switch (kind) {
    case FLOE_ALL: left_out = node_flag::deleted; break;
    case FLOE_CONNECTED: left_out = node_flag::disconnected; break;
    case FLOE_ACTIVE: left_out = node_flag::inactive; break;
    default: return failed(FLOE_EINVAL, "no kind of nodes");
  }
  const auto a = line.ask({.opcode = control::get_nodemap}, until);
  if (!a) return std::unexpected(a.error());
  const auto map = decode_reply<control::get_nodemap>(a->data);
  if (!map) return failed(FLOE_EREPLY, map.error().text());
  std::vector<pnn> nodes;
  for (const auto& n : map->nodes)
    if (!(n.flags & left_out)) nodes.push_back(n.pnn);
  return nodes;
}

outcome<std::vector<pnn>> listed(const uint32_t* pnns, size_t count) {
  if (!pnns && count > 0) return failed(FLOE_EINVAL, "no nodes");
  std::vector<pnn> nodes;
  for (size_t i = 0; i < count; ++i) nodes.push_back(pnn{pnns[i]});
  return nodes;
}

/// Whether every connected node forbids clients to attach; else words that name one.
outcome<void> nobody_attaches(channel& line, limit until) {
  const auto nodes = nodes_of(line, FLOE_CONNECTED, until);
  if (!nodes) return std::unexpected(nodes.error());
  const auto data = encode_request<control::get_tunable>({.name = "AllowClientDBAttach"});
  const auto answers = line.ask_many({.opcode = control::get_tunable, .data = data}, *nodes, until);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]) return std::unexpected(answers[i].error());
    const auto value = decode_reply<control::get_tunable>(answers[i]->data);
    if (!value) return failed(FLOE_EREPLY, value.error().text());
    if (*value != 0)
      return failed(FLOE_EREFUSED, "clients may still attach on node " +
                                       std::to_string(number((*nodes)[i])) +
                                       " (AllowClientDBAttach)");
  }
  return {};
}

/// What the node has said, so that who listens is told of what has come to its end while nobody listened.
struct recoveries {
  floe_recovery_handler run;
  void* context;
  std::map<db_id, database_phase> waiting;
  bool active = false;

  void tell(db_id db, database_phase phase) const {
    run(number(db), static_cast<floe_phase>(phase), active ? 1 : 0, context);
  }
  void heard(byte_view data) {
    const auto news = wire::decode<recovery_news>(data);
    if (!news) return;  // of anybody who sends to this srvid
    const bool was = std::exchange(active, news->active != 0);
    if (was != active || news->whole) tell(db_id{0}, database_phase::serving);
    std::map<db_id, database_phase> ended;
    if (news->whole) ended.swap(waiting);
    for (const auto& d : news->databases) {
      if (d.phase > database_phase::exchanging) continue;  // of a later version, or of anybody
      ended.erase(d.db_id);
      if (d.phase == database_phase::serving)
        waiting.erase(d.db_id);
      else
        waiting[d.db_id] = d.phase;
      tell(d.db_id, d.phase);
    }
    for (const auto& [db, phase] : ended) tell(db, database_phase::serving);
  }
};

}  // namespace

int floe_tunnel_open(floe_connection* c, uint64_t tunnel, floe_tunnel_handler run, void* context) {
  return guarded([&] {
    node_connection::listener hears;
    if (run)
      hears = [run, context](const letter& l) {
        run(l.to.id, l.flags, l.data.data(), l.data.size(), context);
      };
    return of(c).listen({letter_box_name::kind::tunnel, tunnel}, std::move(hears));
  });
}

int floe_tunnel_send(floe_connection* c, uint32_t to, uint64_t tunnel, uint32_t flags,
                     const void* data, size_t size) {
  return guarded([&]() -> outcome<void> {
    if (is_broadcast(pnn{to}) || pnn{to} == pnn::current)
      return failed(FLOE_EINVAL, "tunnels lead to one node, by its number");
    const auto until = of(c).patience();
    const auto line = of(c).line(until);
    if (!line) return std::unexpected(line.error());
    return (*line)->post(pnn{to}, {.tunnel_id = tunnel, .flags = flags, .data = octets(data, size)},
                         until);
  });
}

int floe_nodes(floe_connection* c, uint32_t kind, int timeout_ms, uint32_t* pnns, size_t room,
               size_t* count) {
  return guarded([&]() -> outcome<void> {
    if (!pnns && room > 0) return failed(FLOE_EINVAL, "no room for the nodes");
    const auto until = within(timeout_ms);
    const auto line = of(c).line(until);
    if (!line) return std::unexpected(line.error());
    const auto nodes = nodes_of(**line, kind, until);
    if (!nodes) return std::unexpected(nodes.error());
    for (size_t i = 0; i < std::min(room, nodes->size()); ++i) pnns[i] = number((*nodes)[i]);
    if (count) *count = nodes->size();
    return {};
  });
}

int floe_control_many(floe_connection* c, const uint32_t* pnns, size_t count, uint32_t opcode,
                      uint64_t s, const void* data, size_t size, int timeout_ms,
                      floe_node_result* out) {
  return guarded([&]() -> outcome<void> {
    const auto nodes = listed(pnns, count);
    if (!nodes) return std::unexpected(nodes.error());
    if (!out && count > 0) return failed(FLOE_EINVAL, "no room for the results");
    for (size_t i = 0; i < count; ++i)
      out[i] = {.pnn = pnns[i], .error = FLOE_EINVAL, .status = 0, .value = {}};
    if (std::ranges::any_of(*nodes, [](pnn p) { return is_broadcast(p); }))
      return failed(FLOE_EINVAL, "nobody answers a broadcast");
    const auto until = within(timeout_ms);
    const auto line = of(c).line(until);
    if (!line) {
      for (size_t i = 0; i < count; ++i) out[i].error = line.error().code;
      return std::unexpected(line.error());
    }
    const auto answers = (*line)->ask_many(
        {.opcode = control{opcode}, .srvid = srvid{s}, .data = octets(data, size)}, *nodes, until);
    for (size_t i = 0; i < count; ++i) {
      out[i].error = FLOE_OK;
      const auto& a = answers[i];
      if (a) out[i].status = a->status;
      const auto filled = a ? fill(out[i].value, a->data) : outcome<void>();
      if (!a || !filled) out[i].error = a ? filled.error().code : a.error().code;
      if (!a) out[i].status = a.error().status;
    }
    return {};
  });
}

int floe_send_many(floe_connection* c, const uint32_t* pnns, size_t count, uint64_t s,
                   const void* data, size_t size) {
  return guarded([&]() -> outcome<void> {
    const auto nodes = listed(pnns, count);
    if (!nodes) return std::unexpected(nodes.error());
    const auto until = of(c).patience();
    const auto line = of(c).line(until);
    if (!line) return std::unexpected(line.error());
    for (const pnn to : *nodes)
      if (const auto sent = (*line)->post(to, srvid{s}, octets(data, size), until); !sent)
        return sent;
    return {};
  });
}

int floe_process_exists(floe_connection* c, uint32_t node, int32_t pid, uint64_t s,
                        int timeout_ms) {
  return guarded([&]() -> outcome<void> {
    if (is_broadcast(pnn{node})) return failed(FLOE_EINVAL, "a process is on one node");
    const auto until = within(timeout_ms);
    const auto line = of(c).line(until);
    if (!line) return std::unexpected(line.error());
    const auto data =
        s == 0
            ? encode_request<control::process_exists>(process_id{pid})
            : encode_request<control::check_pid_srvid>({.pid = process_id{pid}, .srvid = srvid{s}});
    const auto a =
        (*line)->ask({.to = pnn{node},
                      .opcode = s == 0 ? control::process_exists : control::check_pid_srvid,
                      .data = data},
                     until);
    if (a) return {};
    if (a.error().code == FLOE_EREFUSED && a.error().cause != failure_cause::disconnected)
      return failed(FLOE_ENOENT, "no client of that node is this process");
    return std::unexpected(a.error());
  });
}

int floe_detach(floe_connection* c, floe_db db, int timeout_ms) {
  return guarded([&]() -> outcome<void> {
    const auto until = within(timeout_ms);
    const auto line = of(c).line(until);
    if (!line) return std::unexpected(line.error());
    if (const auto closed = nobody_attaches(**line, until); !closed) return closed;
    const auto data = encode_request<control::db_detach>(db_id{db});
    const auto a = (*line)->ask({.opcode = control::db_detach, .data = data}, until);
    if (!a) return std::unexpected(a.error());
    of(c).forget_attached(db_id{db});
    return {};
  });
}

int floe_watch_recoveries(floe_connection* c, floe_recovery_handler run, void* context) {
  return guarded([&] {
    node_connection::listener hears;
    if (run)
      hears = [all = std::make_shared<recoveries>(recoveries{run, context, {}})](const letter& l) {
        all->heard(l.data);
      };
    return of(c).listen({letter_box_name::kind::message, number(message::floe_recovery_news)},
                        std::move(hears));
  });
}
