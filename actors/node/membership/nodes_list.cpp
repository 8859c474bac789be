#include "actors/node/membership/nodes_list.hpp"

#include "actors/events.hpp"
#include "actors/link/link.hpp"
#include "actors/node/membership/nodes_command.hpp"
#include "actors/node/membership/nodes_file.hpp"
#include "protocol/constants.hpp"
#include "protocol/messages.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/sock_addr.hpp"

namespace floe {
namespace {

sock_addr wire_address(const endpoint& e) {
  return parse_address(e.ip, e.port).value_or(sock_addr{.family = sock_addr::ipv4, .port = e.port});
}

std::string entry_of(bool deleted, const endpoint& e) {
  return deleted ? std::string() : std::string(address_text(wire_address(e)));
}

}  // namespace

node_lines nodes_list::own_lines() const {
  node_lines all;
  for (const auto& n : port_.view().nodes)
    all.push_back(entry_of(n.flags & node_flag::deleted, n.where));
  return all;
}

address<link_message> nodes_list::spawn_link(pnn p, const endpoint& where,
                                             const node_lines& lines) const {
  return port_.env.actors.spawn<link>(
      "link", port_.env,
      link_config{.peer = p,
                  .own = port_.config.nodes[number(port_.env.self)].where,
                  .remote = where,
                  .limits = limits_between_nodes(port_.config),
                  .nodes = lines,
                  .node_started = membership_.started(),
                  .pulse = port_.pulse},
      port_.self);
}

view_ptr nodes_list::with_links() const {
  auto v = std::make_shared<cluster_view>(port_.view());
  const auto& nodes = port_.config.nodes;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (const pnn p{static_cast<std::uint32_t>(i)}; p != port_.env.self && !nodes[i].deleted)
      v->nodes[i].link = spawn_link(p, nodes[i].where, own_lines());
  return v;
}

std::optional<duration> nodes_list::listed_for(pnn p) const {
  const auto added = added_.find(p);
  if (added == added_.end()) return std::nullopt;
  return port_.env.loop.now() - added->second;
}

void nodes_list::refused(const peer_refused& m) {
  refused_[m.who] = m.why;
  port_.note(event::node_refused{.pnn = m.who, .why = m.why});
}

outcome_of<control::get_nodemap> nodes_list::get_nodemap() const {
  reply_of<control::get_nodemap> map;
  const auto& nodes = port_.view().nodes;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto& n = nodes[i];
    const bool deleted = n.flags & node_flag::deleted;
    map.nodes.push_back(
        {.pnn = pnn{static_cast<std::uint32_t>(i)},
         .flags = n.flags,
         .addr = wire_address(deleted ? endpoint{"0.0.0.0", n.where.port} : n.where)});
  }
  return map;
}

void nodes_list::read(std::function<void(const read_nodes&)> then) {
  const auto& from = port_.config.nodes_file;
  const auto own_port = port_.config.nodes[number(port_.env.self)].where.port;
  if (!is_nodes_command(from)) return then(read_nodes_file(from, own_port));
  auto found = std::make_shared<read_nodes>();
  port_.env.loop.offload([found, from, own_port] { *found = read_nodes_file(from, own_port); },
                         [found, to = port_.self, then = std::move(then)] {
                           to.tell(work_ended{[found, then] { then(*found); }});
                         });
}

/// The file as it is on disk now, which need not be what this node runs with.
void nodes_list::get_nodes_file(const answer_to<control::get_nodes_file>& answer) {
  read([answer](const read_nodes& nodes) {
    if (!nodes) return answer.fail(nodes.error());
    reply_of<control::get_nodes_file> map;
    for (std::size_t i = 0; i < nodes->size(); ++i)
      map.nodes.push_back({.pnn = pnn{static_cast<std::uint32_t>(i)},
                           .flags = (*nodes)[i].deleted ? node_flag::deleted : 0,
                           .addr = wire_address((*nodes)[i].where)});
    answer.good(map);
  });
}

/// Unchanged lines keep their links and whatever is under way on them. A node that is deleted while it is connected
/// is lost like any other: its records are recovered.
void nodes_list::reload_nodes_file(const answer_to<control::reload_nodes_file>& answer) {
  read([this, answer](const read_nodes& file) { reload(file, answer); });
}

void nodes_list::reload(const read_nodes& file,
                        const answer_to<control::reload_nodes_file>& answer) {
  const auto& name = port_.config.nodes_file;
  const auto refuse = [&](const std::string& why) {
    port_.env.log.tell(event::nodes_file_refused{.file = name, .why = why});
    answer.fail(why);
  };
  if (!file) return refuse(file.error());
  node_lines wanted;
  for (const auto& n : *file) wanted.push_back(entry_of(n.deleted, n.where));
  const auto now = own_lines();
  const auto plan = plan_reload(now, wanted, port_.env.self);
  if (!plan) return refuse(plan.error());
  if (wanted != now) follow(*file, wanted, *plan);
  answer.good();
  messages_.send(port_.env.self, message::reload_nodes, {});
}

void nodes_list::follow(const std::vector<configured_node>& file, const node_lines& wanted,
                        const node_list_change& plan) {
  port_.config.nodes = file;
  for (pnn p : plan.removed) port_.view().find(p)->link.tell(link_stop{});
  for (const auto& n : port_.view().nodes) n.link.tell(link_nodes{wanted});
  port_.change_view([&](cluster_view& v) {
    for (std::size_t i = v.nodes.size(); i < wanted.size(); ++i)
      v.nodes.push_back({.flags = node_flag::disconnected | node_flag::deleted,
                         .where = file[i].where,
                         .floe = false,
                         .link = {}});
    for (pnn p : plan.removed) {
      auto& n = v.nodes[number(p)];
      n.link = {};
      n.flags = (n.flags & node_flag::disconnected) | node_flag::deleted | node_flag::disconnected;
    }
    for (pnn p : plan.added) {
      added_[p] = port_.env.loop.now();
      const auto& where = file[number(p)].where;
      v.nodes[number(p)] = {.flags = node_flag::disconnected | node_flag::unhealthy,
                            .where = where,
                            .floe = false,
                            .link = spawn_link(p, where, wanted)};
    }
  });
  refused_.clear();
  tunables_.apply();
  port_.note(event::nodes_file{.added = plan.added, .removed = plan.removed});
  for (pnn p : plan.removed) membership_.peer_lost(p);
}

}  // namespace floe
