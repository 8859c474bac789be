#pragma once
/// Messages by srvid: who has registered for which, delivery on this node, sending to others; and the messages that
/// clients leave behind to be sent when they go.
#include <cstdint>
#include <functional>
#include <map>
#include <unordered_map>
#include <vector>

#include "actors/control_call.hpp"
#include "actors/node/clients/clients.hpp"
#include "actors/node/node_port.hpp"

namespace floe {

class messaging {
 public:
  messaging(node_port& port, const clients& all) : port_(port), clients_(all) {}

  /// To whoever has registered here; `m` lies in the parcel.
  void deliver(const parcel_ptr&, const req_message& m);
  /// To a node or an address that means many; `written` as in link_send (at once for ourselves).
  void send(pnn to, floe::srvid, byte_view data, task written = nullptr);
  void listen(listen_messages&);
  void unlisten(const unlisten_messages&);
  /// Sends what this client has left to be sent.
  void announce_end_of(std::uint64_t client);
  void forget(std::uint64_t client);
  /// Who registers for the leader's messages is told at once who leads, or led last.
  void leader_is(pnn leader) { last_leader_ = leader; }

  void register_srvid(const caller&, const answer_to<control::register_srvid>&);
  outcome_of<control::deregister_srvid> deregister_srvid(const caller&);
  outcome_of<control::register_notify> register_notify(const request_of<control::register_notify>&, const caller&);
  outcome_of<control::deregister_notify> deregister_notify(const request_of<control::deregister_notify>&,
                                                           const caller&);
  outcome_of<control::check_pid_srvid> check_pid_srvid(const request_of<control::check_pid_srvid>&) const;

 private:
  struct subscriber {
    std::uint64_t owner;  ///< client id, or an actor's own number
    address<session_message> session;
    std::function<void(parcel_ptr)> deliver;  ///< of an actor
  };

  node_port& port_;
  const clients& clients_;
  std::unordered_map<std::uint64_t, std::vector<subscriber>> subscribers_;
  std::map<std::uint64_t, std::map<std::uint64_t, bytes>> at_end_;  ///< by client and srvid
  pnn last_leader_ = pnn::unknown;  ///< also while nobody leads
};

}  // namespace floe
