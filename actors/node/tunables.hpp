#pragma once
/// The tunables of a node: asking for them, setting them, and telling those who go by them.
#include "actors/control_call.hpp"
#include "actors/node/doors.hpp"
#include "actors/node/node_port.hpp"
#include "actors/node/registry/registry.hpp"

namespace floe {

class tunable_controls {
 public:
  tunable_controls(node_port& port, const registry& databases, doors& to_clients)
      : port_(port), databases_(databases), doors_(to_clients) {}

  /// Tells links, databases, leader and sessions what holds now.
  void apply() const;
  /// In the log: what was set and does nothing here.
  void tell_what_is_idle() const;

  outcome_of<control::list_tunables> list() const;
  outcome_of<control::get_tunable> get(const request_of<control::get_tunable>&) const;
  outcome_of<control::set_tunable> set(const request_of<control::set_tunable>&);
  outcome_of<control::get_all_tunables> get_all() const;

 private:
  void tell_if_idle(tunable, std::uint32_t value) const;

  node_port& port_;
  const registry& databases_;
  doors& doors_;
};

}  // namespace floe
