#pragma once
/// Tunnels: one client of a node receives the packets for a tunnel id.
#include <cstdint>
#include <map>

#include "actors/control_call.hpp"
#include "actors/node/clients/clients.hpp"
#include "actors/node/node_port.hpp"

namespace floe {

class tunnels {
 public:
  tunnels(node_port& port, const clients& all) : port_(port), clients_(all) {}

  void deliver(const req_tunnel&);
  /// From a client of this node to its destination.
  void send(pnn to, const req_tunnel&);
  void forget(std::uint64_t client);

  outcome_of<control::tunnel_register> tunnel_register(const caller&);
  outcome_of<control::tunnel_deregister> tunnel_deregister(const caller&);

 private:
  node_port& port_;
  const clients& clients_;
  std::map<std::uint64_t, std::uint64_t> owner_;  ///< tunnel id -> client
};

}  // namespace floe
