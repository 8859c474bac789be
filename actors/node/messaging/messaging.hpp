#pragma once
/// Messages by srvid: who has registered for which, delivery on this node, sending to others; and the messages that
/// clients leave behind to be sent when they go.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "actors/control_call.hpp"
#include "actors/node/clients/clients.hpp"
#include "actors/node/node_port.hpp"

namespace floe {

class messaging {
 public:
  /// Samba registers a few dozen of each; these are limits against programs that have gone wrong.
  static constexpr std::size_t most_registrations = 100'000;        ///< of a client
  static constexpr std::size_t most_notification_bytes = 16 << 20;  ///< of a client

  messaging(node_port& port, const clients& all) : port_(port), clients_(all) {}

  /// To whoever has registered here; `m` lies in the parcel.
  void deliver(const parcel_ptr&, const req_message& m);
  /// To a node or an address that means many; `written` as in link_send (at once for ourselves).
  void send(pnn to, floe::srvid, byte_view data, task written = nullptr);
  void listen(listen_messages&);
  void unlisten(const unlisten_messages&);
  /// Whether anybody on this node would receive it.
  bool is_heard(floe::srvid) const;
  /// Who registers for the srvid is told this at once.
  void greet(floe::srvid, std::function<bytes()> with);
  /// Sends what this client has left to be sent.
  void announce_end_of(std::uint64_t client);
  void forget(std::uint64_t client);
  /// Who registers for the leader's messages is told at once who leads, or led a moment ago.
  void leader_is(pnn leader);
  struct held_report {
    std::size_t registrations = 0, notifications = 0, notification_bytes = 0;
  };
  held_report held() const;

  void register_srvid(const caller&, const answer_to<control::register_srvid>&);
  outcome_of<control::deregister_srvid> deregister_srvid(const caller&);
  outcome_of<control::register_notify> register_notify(const request_of<control::register_notify>&,
                                                       const caller&);
  outcome_of<control::deregister_notify> deregister_notify(
      const request_of<control::deregister_notify>&, const caller&);
  outcome_of<control::check_pid_srvid> check_pid_srvid(
      const request_of<control::check_pid_srvid>&) const;

 private:
  struct subscriber {
    std::uint64_t owner;  ///< client id, or an actor's own number
    address<session_message> session;
    std::function<void(parcel_ptr)> deliver;  ///< of an actor
  };

  node_port& port_;
  const clients& clients_;
  using srvids = std::unordered_map<std::uint64_t, std::size_t>;  ///< how often each
  struct of_client {
    srvids registered;
    std::size_t registrations = 0, notification_bytes = 0;
  };
  std::size_t remove(std::uint64_t client, std::uint64_t srvid);
  using parting_messages = std::map<std::uint64_t, bytes>;  ///< by srvid
  void announce(const std::shared_ptr<parting_messages>&);

  std::unordered_map<std::uint64_t, std::vector<subscriber>> subscribers_;
  std::unordered_map<std::uint64_t, of_client> of_client_;
  std::unordered_map<std::uint64_t, std::function<bytes()>> greetings_;  ///< by srvid
  std::map<std::uint64_t, parting_messages> at_end_;                     ///< by client
  pnn leader_ = pnn::unknown, last_leader_ = pnn::unknown;
  time_point without_leader_since_;
};

}  // namespace floe
