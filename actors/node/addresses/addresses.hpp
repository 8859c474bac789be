#pragma once
/// Controls about public addresses, on a node that has none: CTDB's daemons and Samba's servers send them to every
/// node, and are answered as ctdbd answers when an address is not one of its own. Connections that servers register
/// are remembered for as long as their client lives, and counted in the status; nobody here can be sent a tickle.
///
/// Facts: Samba ctdb/server/ctdb_takeover.c.
#include <cstdint>
#include <map>
#include <vector>

#include "actors/control_call.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/connection.hpp"
#include "protocol/types/public_ip.hpp"

namespace floe {

class addresses {
 public:
  explicit addresses(pnn self) : self_(self) {}

  /// More of one client are not remembered; it is told that all is well, as by a daemon that has no addresses.
  static constexpr std::size_t most_of_client = 10'000;

  void forget(std::uint64_t client) { known_.erase(client); }
  /// Connections of services that clients of this node have registered.
  std::size_t connections() const;

  outcome_of<control::tcp_client> tcp_client(const request_of<control::tcp_client>&, const caller&);
  outcome_of<control::tcp_client_disconnected> tcp_client_disconnected(
      const request_of<control::tcp_client_disconnected>&, const caller&);
  outcome_of<control::tcp_client_passed> tcp_client_passed(
      const request_of<control::tcp_client_passed>&, const caller&);
  /// TCP_ADD and TCP_REMOVE of others, gratuitous ARP, lists of an address: nothing to be done.
  outcome_of<control::tcp_add> accept() const { return {}; }
  outcome_of<control::get_tcp_tickle_list> get_tickle_list() const;
  outcome_of<control::set_tcp_tickle_list> set_tickle_list() const;
  outcome_of<control::takeover_ip> takeover_ip(const request_of<control::takeover_ip>&) const;
  outcome_of<control::get_public_ip_info> get_public_ip_info() const {
    return refuse("not a public address");
  }
  outcome_of<control::set_iface_link_state> set_iface_link_state() const {
    return refuse("no such interface");
  }
  outcome_of<control::get_ifaces> get_ifaces() const { return {}; }
  outcome_of<control::get_public_ips> get_public_ips() const { return {}; }

 private:
  outcome_of<control::tcp_client> forget_one(const tcp_connection&, const caller&);

  pnn self_;
  std::map<std::uint64_t, std::vector<tcp_connection>> known_;  ///< by client
};

}  // namespace floe
