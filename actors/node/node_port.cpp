#include "actors/node/node_port.hpp"

#include <algorithm>

#include "actors/events.hpp"
#include "actors/node/membership/last_map.hpp"
#include "actors/parcel.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/feature_level.hpp"
#include "protocol/rules/silence_limit.hpp"

namespace floe {
namespace {

/// Where a majority is asked for, who was there last; at the very first start nobody but this node.
std::optional<std::vector<pnn>> kept_map(const node_config& c, log& log) {
  if (c.quorum != quorum_rule::majority) return std::nullopt;
  const auto kept = read_last_map(c.state_dir);
  if (!kept) {
    log.tell(event::storage_failed{
        .db = "last-map", .doing = "read", .code = "last-map", .cause = 0, .why = kept.error()});
    return std::nullopt;
  }
  std::optional<std::vector<pnn>> members;
  if (*kept && !mutated(mutant::map_forgotten)) members = (*kept)->members;
  if (members)
    std::erase_if(*members,
                  [&](pnn n) { return number(n) >= c.nodes.size() || c.nodes[number(n)].deleted; });
  if (members && !members->empty()) return members;
  return std::vector{c.self};
}

view_ptr view_at_start(const node_config& c, log& log) {
  auto v = std::make_shared<cluster_view>();
  v->self = c.self;
  for (std::size_t i = 0; i < c.nodes.size(); ++i) {
    peer_view p{.flags = node_flag::disconnected | node_flag::unhealthy,
                .where = c.nodes[i].where,
                .floe = false,
                .link = {}};
    if (c.nodes[i].deleted) p.flags = node_flag::disconnected | node_flag::deleted;
    v->nodes.push_back(std::move(p));
    if (!c.nodes[i].deleted) v->map.push_back(pnn{static_cast<std::uint32_t>(i)});
  }
  if (auto kept = kept_map(c, log)) v->map = std::move(*kept);
  v->members = v->map;
  auto& own = v->nodes[number(c.self)].flags;
  own = node_flag::unhealthy;
  if (c.start_stopped) own |= node_flag::stopped;
  if (c.start_disabled) own |= node_flag::permanently_disabled;
  v->capabilities = capabilities_with_level(
      capability::features | capability::sorted_pull | capability::difference,
      newest_feature_level);
  if (c.leader_capable) v->capabilities |= capability::recmaster;
  if (c.lmaster_capable) v->capabilities |= capability::lmaster;
  return v;
}

}  // namespace

void limit_counts::count(link_dropped m) {
  switch (m.what) {
    case link_dropped::too_large: ++dropped.too_large; break;
    case link_dropped::message: ++dropped.messages; break;
    case link_dropped::relink: ++dropped.relinks; break;
    case link_dropped::unknown_operation: ++dropped.unknown_operations; break;
  }
}

node_port::node_port(node_environment e, node_config c)
    : env(e),
      config(std::move(c)),
      tunables(config.tunables),
      pulse(std::make_shared<node_pulse>(e.loop.now())),
      view_(view_at_start(config, e.log)) {}

void node_port::change_view(const std::function<void(cluster_view&)>& change) {
  auto next = std::make_shared<cluster_view>(*view_);
  change(*next);
  view_ = std::move(next);
  show_pulse();
  view_changed(view_);
}

duration node_port::control_limit() const {
  const auto limit = tunables[tunable::control_timeout];
  return limit == 0 ? std::chrono::years(1) : duration(std::chrono::seconds(limit));
}

/// Others leave a node out that says nothing for so long (protocol/rules/keepalive.hpp).
void node_port::show_pulse() const {
  const auto& t = tunables;
  const auto interval = std::chrono::seconds(std::max(1U, t[tunable::keepalive_interval]));
  const auto slow = own_silence_limit(
      silence_limit(interval, std::max(1U, t[tunable::keepalive_limit])), interval);
  const auto quick = std::chrono::milliseconds(t[tunable::floe_keepalive_ms]);
  const auto among_floe =
      quick.count() == 0
          ? slow
          : own_silence_limit(std::chrono::milliseconds(t[tunable::floe_keepalive_limit_ms]),
                              quick);
  pulse->follow(*view_,
                {.others = std::chrono::milliseconds(t[tunable::floe_keepalive_limit_ms]),
                 .among_floe = among_floe,
                 .with_ctdbd = slow},
                config.quorum, env.loop.now());
}

void node_port::send(pnn to, reqid id, const packet_body& body, task written) const {
  const auto* p = view_->find(to);
  if (!p) return;
  p->link.tell(
      link_send{make_frame({.gen = view_->gen, .dest = to, .src = env.self, .id = id}, body),
                std::move(written)});
}

frame node_port::for_client(reqid id, const packet_body& body) const {
  return for_client(env.self, id, body);
}

frame node_port::for_client(pnn source, reqid id, const packet_body& body) const {
  return make_frame({.gen = view_->gen, .dest = pnn{0}, .src = source, .id = id}, body);
}

std::vector<pnn> node_port::destinations(pnn to) const {
  std::vector<pnn> all;
  if (!is_broadcast(to)) {
    all.push_back(to == pnn::current ? env.self : to);
    return all;
  }
  std::uint32_t without = node_flag::deleted;
  if (to == pnn::broadcast_connected) without |= node_flag::disconnected;
  if (to == pnn::broadcast_active) without = node_flag::inactive;
  for (std::size_t i = 0; i < view_->nodes.size(); ++i)
    if (!(view_->nodes[i].flags & without)) all.push_back(pnn{static_cast<std::uint32_t>(i)});
  return all;
}

}  // namespace floe
