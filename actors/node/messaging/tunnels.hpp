#pragma once
/// Tunnels: one client of a node receives the packets for a tunnel id.
#include <cstdint>
#include <unordered_map>
#include <unordered_set>

#include "actors/control_call.hpp"
#include "actors/node/clients/clients.hpp"
#include "actors/node/node_port.hpp"

namespace floe {

class tunnels {
 public:
  /// Of a client. Samba opens one; this is a limit against programs that have gone wrong.
  static constexpr std::size_t most_of_a_client = 100'000;

  tunnels(node_port& port, const clients& all) : port_(port), clients_(all) {}

  void deliver(const req_tunnel&);
  /// From a client of this node to its destination.
  void send(pnn to, const req_tunnel&);
  void forget(std::uint64_t client);
  std::size_t held() const { return owner_.size(); }

  outcome_of<control::tunnel_register> tunnel_register(const caller&);
  outcome_of<control::tunnel_deregister> tunnel_deregister(const caller&);

 private:
  node_port& port_;
  const clients& clients_;
  std::unordered_map<std::uint64_t, std::uint64_t> owner_;  ///< tunnel id -> client
  std::unordered_map<std::uint64_t, std::unordered_set<std::uint64_t>> of_client_;
};

}  // namespace floe
