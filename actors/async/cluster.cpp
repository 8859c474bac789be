/// The public client: messages, tunnels, controls, other nodes and processes, recoveries.
#include <floe/async.hpp>
#include <span>
#include <stdexcept>
#include <utility>

#include "actors/async/core.hpp"
#include "actors/client/many_nodes.hpp"
#include "actors/client/processes.hpp"
#include "actors/client/recovery_wait.hpp"
#include "protocol/constants.hpp"

namespace floe::async {
namespace {

using inside::about;
using inside::core;
using inside::patience_of;

reply as_public(const client_reply& r) { return {.status = r.status, .data = bytes(r.data)}; }

server_id as_public(const floe::server_id& s) {
  return {.pid = s.pid, .task = s.task_id, .node = number(s.vnn), .unique = s.unique_id};
}
floe::server_id as_ours(const server_id& s) {
  return {.pid = s.pid, .task_id = s.task, .vnn = floe::pnn{s.node}, .unique_id = s.unique};
}

std::vector<floe::pnn> as_ours(const std::vector<std::uint32_t>& nodes) {
  std::vector<floe::pnn> all;
  for (const auto n : nodes) all.push_back(floe::pnn{n});
  return all;
}

floe::which_nodes as_ours(which_nodes w) {
  switch (w) {
    case which_nodes::all: return floe::which_nodes::all;
    case which_nodes::connected: return floe::which_nodes::connected;
    case which_nodes::active: return floe::which_nodes::active;
  }
  throw std::invalid_argument("no kind of nodes");
}

bool same(bool b) { return b; }

}  // namespace

// --- messages ----------------------------------------------------------------------------------------------------

void client::listen(std::uint64_t srvid, std::function<void(const message&)> handler, limit t,
                    done<void> d) {
  if (!handler) throw std::invalid_argument("nobody listens");
  core_->wire.listen(
      floe::srvid{srvid},
      [c = core_.get(), handler = std::move(handler)](const client_message& m) {
        c->tell(
            [&] { handler({.from = number(m.from), .srvid = number(m.srvid), .data = m.data}); });
      },
      patience_of(t), core_->answer(std::move(d)));
  core_->touch();
}

void client::unlisten(std::uint64_t srvid) {
  core_->wire.unlisten(floe::srvid{srvid});
  core_->touch();
}

void client::send(std::uint32_t to, std::uint64_t srvid, std::string_view data) {
  inside::check_data(data);
  core_->wire.send_message(floe::pnn{to}, floe::srvid{srvid}, data);
  core_->touch();
}

void client::send_many(const std::vector<std::uint32_t>& nodes, std::uint64_t srvid,
                       std::string_view data) {
  inside::check_data(data);
  send_message_many(core_->wire, as_ours(nodes), floe::srvid{srvid}, data);
  core_->touch();
}

// --- tunnels -----------------------------------------------------------------------------------------------------

void client::open_tunnel(std::uint64_t tunnel, std::function<void(const tunnel_packet&)> handler,
                         limit t, done<void> d) {
  if (!handler) throw std::invalid_argument("nobody listens");
  core_->wire.open_tunnel(
      tunnel,
      [c = core_.get(), handler = std::move(handler)](const client_tunnel_packet& p) {
        c->tell([&] { handler({.tunnel = p.tunnel, .flags = p.flags, .data = p.data}); });
      },
      patience_of(t), core_->answer(std::move(d)));
  core_->touch();
}

void client::close_tunnel(std::uint64_t tunnel) {
  core_->wire.close_tunnel(tunnel);
  core_->touch();
}

void client::send_tunnel(std::uint32_t to, std::uint64_t tunnel, std::uint32_t flags,
                         std::string_view data) {
  const auto node = inside::one_node(to);
  if (node == floe::pnn::current)
    throw std::invalid_argument("a tunnel leads to a node by its number");
  inside::check_data(data);
  core_->wire.send_tunnel(node, tunnel, flags, data);
  core_->touch();
}

// --- controls ----------------------------------------------------------------------------------------------------

void client::control(std::uint32_t to, std::uint32_t opcode, std::string_view data, limit t,
                     done<reply> d, std::uint64_t srvid, std::uint32_t flags) {
  const auto node = inside::one_node(to);
  if (flags & control_flag::noreply) throw std::invalid_argument("NOREPLY: nobody answers");
  inside::check_data(data);
  auto tell = core_->answer<reply, client_reply>(
      std::move(d), about::anything, [](const client_reply& r) { return as_public(r); });
  core_->wire.send_control(
      node, floe::control{opcode}, bytes(data), patience_of(t),
      [opcode, tell = std::move(tell)](const floe::result<client_reply>& r) {
        if (r) return tell(r);
        tell(std::unexpected(explain_refusal(r.error(), floe::control{opcode})));
      },
      {.srvid = floe::srvid{srvid}, .flags = flags});
  core_->touch();
}

void client::control_unanswered(std::uint32_t to, std::uint32_t opcode, std::string_view data,
                                std::uint64_t srvid) {
  inside::check_data(data);
  core_->wire.send_control_unanswered(floe::pnn{to}, floe::control{opcode}, bytes(data),
                                      floe::srvid{srvid});
  core_->touch();
}

void client::control_many(const std::vector<std::uint32_t>& nodes, std::uint32_t opcode,
                          std::string_view data, limit t,
                          std::function<void(std::vector<node_result<reply>>)> d,
                          std::uint64_t srvid) {
  for (const auto n : nodes) inside::one_node(n);
  inside::check_data(data);
  floe::control_many(
      core_->wire, as_ours(nodes), floe::control{opcode}, bytes(data), patience_of(t),
      [weak = std::weak_ptr(core_), d = std::move(d)](const std::vector<node_reply>& replies) {
        const auto c = weak.lock();
        if (!c || !d) return;
        std::vector<node_result<reply>> all;
        all.reserve(replies.size());
        for (const auto& r : replies)
          all.push_back({number(r.node), r.reply ? result<reply>(as_public(*r.reply))
                                                 : result<reply>(inside::as_public(
                                                       r.reply.error(), about::anything))});
        c->tell([d, all = std::move(all)]() mutable { d(std::move(all)); });
      },
      floe::srvid{srvid});
  core_->touch();
}

// --- the cluster -------------------------------------------------------------------------------------------------

void client::nodes(which_nodes w, limit t, done<std::vector<std::uint32_t>> d) {
  const auto numbers = [](const std::vector<floe::pnn>& nodes) {
    std::vector<std::uint32_t> all;
    for (const auto n : nodes) all.push_back(number(n));
    return all;
  };
  nodes_of(core_->wire, as_ours(w), patience_of(t),
           core_->answer<std::vector<std::uint32_t>, std::vector<floe::pnn>>(
               std::move(d), about::anything, numbers));
  core_->touch();
}

void client::process_exists(std::uint32_t node, std::int32_t pid, limit t, done<bool> d) {
  floe::process_exists(core_->wire, inside::one_node(node), pid, std::nullopt, patience_of(t),
                       core_->answer<bool, bool>(std::move(d), about::anything, &same));
  core_->touch();
}

void client::process_listens(std::uint32_t node, std::int32_t pid, std::uint64_t srvid, limit t,
                             done<bool> d) {
  floe::process_exists(core_->wire, inside::one_node(node), pid, floe::srvid{srvid}, patience_of(t),
                       core_->answer<bool, bool>(std::move(d), about::anything, &same));
  core_->touch();
}

void client::name_myself(limit t, done<server_id> d) {
  floe::name_myself(
      core_->wire, patience_of(t),
      core_->answer<server_id, floe::server_id>(
          std::move(d), about::anything, [](const floe::server_id& s) { return as_public(s); }));
  core_->touch();
}

void client::give_up_name(const server_id& name) {
  floe::give_up_name(core_->wire, as_ours(name));
  core_->touch();
}

void client::server_exists(const server_id& who, limit t, done<bool> d) {
  floe::server_exists(core_->wire, as_ours(who), patience_of(t),
                      core_->answer<bool, bool>(std::move(d), about::anything, &same));
  core_->touch();
}

// --- recoveries --------------------------------------------------------------------------------------------------

void client::watch_recoveries(std::function<void(const recovery_change&)> handler, limit t,
                              done<void> d) {
  core_->watch_recoveries(std::move(handler), t, std::move(d));
}
void client::unwatch_recoveries() { core_->unwatch_recoveries(); }

phase client::phase(std::uint32_t db) const {
  if (!core_->recoveries) return async::phase::serving;
  const auto known = core_->recoveries->waiting.find(db_id{db});
  return known == core_->recoveries->waiting.end() ? async::phase::serving : known->second.phase;
}

bool client::recovering() const noexcept {
  return core_->recoveries && core_->recoveries->recovering;
}

void client::wait_recovered(std::uint32_t node, limit t, done<std::uint32_t> d) {
  floe::wait_recovered(core_->wire, inside::one_node(node), std::nullopt, patience_of(t),
                       core_->answer<std::uint32_t, recovered_state>(
                           std::move(d), about::anything,
                           [](const recovered_state& s) { return number(s.generation); }));
  core_->touch();
}

}  // namespace floe::async
