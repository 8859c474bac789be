#pragma once
/// The clients that are connected to this node.
#include <cstdint>
#include <map>
#include <set>

#include "actors/control_call.hpp"
#include "actors/node/node_port.hpp"

namespace floe {

class clients {
 public:
  explicit clients(node_port& port) : port_(port) {}

  void opened(const client_ref&);
  /// False if it was not known.
  bool closed(std::uint64_t id);
  /// Nothing if it has gone.
  const client_ref* find(std::uint64_t id) const;
  std::size_t size() const { return all_.size(); }
  void close_all(const char* why) const;

  outcome_of<control::ping> ping() const;
  outcome_of<control::accompany> accompany(const caller&);
  outcome_of<control::process_exists> process_exists(const request_of<control::process_exists>&) const;

 private:
  node_port& port_;
  std::map<std::uint64_t, client_ref> all_;
  std::set<std::uint64_t> companions_;  ///< their processes have other connections, and live by those
};

}  // namespace floe
