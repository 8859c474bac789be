/// The list of nodes: who belongs to the cluster, following the nodes file while running, peers that are kept out.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "actors/link/link.hpp"
#include "actors/node/node.hpp"
#include "actors/node/nodes_file.hpp"
#include "protocol/constants.hpp"
#include "protocol/messages.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/sock_addr.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

sock_addr wire_address(const endpoint& e) {
  return parse_address(e.ip, e.port).value_or(sock_addr{.family = sock_addr::ipv4, .port = e.port});
}

std::string line_of(bool deleted, const endpoint& e) { return deleted ? std::string() : std::string(address_text(wire_address(e))); }

std::string pnns_text(const std::vector<pnn>& all) {
  std::vector<std::uint32_t> numbers;
  for (pnn p : all) numbers.push_back(number(p));
  return fmt::format("{}", fmt::join(numbers, ","));
}

}  // namespace

node_lines node::own_lines() const {
  node_lines all;
  for (const auto& n : view_->nodes) all.push_back(line_of(n.flags & node_flag::deleted, n.where));
  return all;
}

address<link_message> node::spawn_link(pnn p, const endpoint& where, const node_lines& lines) {
  return env_.actors.spawn<link>("link", env_,
                                 link_config{.peer = p,
                                             .own = config_.nodes[number(env_.self)].where,
                                             .remote = where,
                                             .limits = {.max_packet = config_.max_packet},
                                             .nodes = lines,
                                             .node_started = started_},
                                 self());
}

void node::on(peer_refused& m) {
  refused_[m.who] = m.why;
  note("node-refused", fmt::format("pnn={} why=\"{}\"", number(m.who), m.why));
}

void node::get_nodemap(const control_request& r) {
  node_map map;
  for (std::size_t i = 0; i < view_->nodes.size(); ++i) {
    const auto& n = view_->nodes[i];
    const bool deleted = n.flags & node_flag::deleted;
    map.nodes.push_back({.pnn = pnn{static_cast<std::uint32_t>(i)}, .flags = n.flags,
                         .addr = wire_address(deleted ? endpoint{"0.0.0.0", n.where.port} : n.where)});
  }
  r.answer.good(wire::encode(map));
}

/// The file as it is on disk now, which need not be what this node runs with.
void node::get_nodes_file(const control_request& r) {
  auto nodes = read_nodes_file(config_.nodes_file, config_.nodes[number(env_.self)].where.port);
  if (!nodes) return r.answer.fail(nodes.error());
  node_map map;
  for (std::size_t i = 0; i < nodes->size(); ++i)
    map.nodes.push_back({.pnn = pnn{static_cast<std::uint32_t>(i)},
                         .flags = (*nodes)[i].deleted ? node_flag::deleted : 0,
                         .addr = wire_address((*nodes)[i].where)});
  r.answer.good(wire::encode(map));
}

/// Unchanged lines keep their links and whatever is under way on them. A node that is deleted while it is connected
/// is lost like any other: its records are recovered.
void node::reload_nodes_file(const control_request& r) {
  const auto refuse = [&](const std::string& why) {
    env_.log.error(fmt::format("nodes-file-refused file={} why=\"{}\"", config_.nodes_file, why));
    r.answer.fail(why);
  };
  auto file = read_nodes_file(config_.nodes_file, config_.nodes[number(env_.self)].where.port);
  if (!file) return refuse(file.error());
  node_lines wanted;
  for (const auto& n : *file) wanted.push_back(line_of(n.deleted, n.where));
  const auto now = own_lines();
  const auto plan = plan_reload(now, wanted, env_.self);
  if (!plan) return refuse(plan.error());
  if (wanted != now) {
    config_.nodes = *file;
    for (pnn p : plan->removed) view_->find(p)->link.tell(link_stop{});
    for (const auto& n : view_->nodes) n.link.tell(link_nodes{wanted});
    set_view([&](cluster_view& v) {
      for (std::size_t i = v.nodes.size(); i < wanted.size(); ++i)
        v.nodes.push_back({.flags = node_flag::disconnected | node_flag::deleted, .where = (*file)[i].where, .floe = false, .link = {}});
      for (pnn p : plan->removed) {
        auto& n = v.nodes[number(p)];
        n.link = {};
        n.flags = (n.flags & node_flag::disconnected) | node_flag::deleted | node_flag::disconnected;
      }
      for (pnn p : plan->added) {
        const auto& where = (*file)[number(p)].where;
        v.nodes[number(p)] = {.flags = node_flag::disconnected | node_flag::unhealthy, .where = where, .floe = false,
                              .link = spawn_link(p, where, wanted)};
      }
    });
    refused_.clear();
    apply_tunables();
    note("nodes-file", fmt::format("added={} removed={}", pnns_text(plan->added), pnns_text(plan->removed)));
    for (pnn p : plan->removed) peer_lost(p, "deleted from the nodes file");
  }
  r.answer.good();
  send_message(env_.self, message::reload_nodes, {}, nullptr);
}

}  // namespace floe
