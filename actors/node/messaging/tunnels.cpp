#include "actors/node/messaging/tunnels.hpp"

#include <fmt/format.h>

#include "protocol/constants.hpp"
#include "protocol/types/basic.hpp"

namespace floe {

void tunnels::deliver(const req_tunnel& t) {
  const auto owner = owner_.find(t.tunnel_id);
  if (owner == owner_.end()) return;
  if (const auto* c = clients_.find(owner->second))
    c->session.tell(session_send{port_.for_client(reqid{0}, t)});
}

void tunnels::send(pnn to, const req_tunnel& t) {
  if (to == port_.env.self) return deliver(t);
  const auto* peer = port_.view().find(to);
  if (peer && !(peer->flags & node_flag::disconnected)) port_.send(to, reqid{0}, t);
}

void tunnels::forget(std::uint64_t client) {
  const auto left = of_client_.extract(client);
  if (!left) return;
  for (const auto id : left.mapped()) owner_.erase(id);
}

outcome_of<control::tunnel_register> tunnels::tunnel_register(const caller& by) {
  const auto mine = of_client_.find(by.client->id);
  if (mine != of_client_.end() && mine->second.size() >= most_of_a_client) {
    ++port_.limits.refused.registrations;
    return refuse(fmt::format("this client has {} tunnels, which is the limit", most_of_a_client));
  }
  if (!owner_.emplace(number(by.srvid), by.client->id).second) return refuse("tunnel is taken");
  of_client_[by.client->id].insert(number(by.srvid));
  return {};
}

outcome_of<control::tunnel_deregister> tunnels::tunnel_deregister(const caller& by) {
  const auto t = owner_.find(number(by.srvid));
  if (t == owner_.end() || t->second != by.client->id) return refuse("not registered");
  owner_.erase(t);
  if (const auto mine = of_client_.find(by.client->id); mine != of_client_.end()) {
    mine->second.erase(number(by.srvid));
    if (mine->second.empty()) of_client_.erase(mine);
  }
  return {};
}

}  // namespace floe
