#pragma once
/// A node that is shut down says so to every node that it is connected with, and by whom, before its connections end: they tell it from
/// one that was killed. Floe to floe only, from a feature level on; a ctdbd never sees it.
#include <functional>
#include <map>
#include <string>

#include "actors/control_call.hpp"
#include "actors/node/calls/calls.hpp"
#include "actors/node/node_port.hpp"

namespace floe {

class goodbyes {
 public:
  goodbyes(node_port& port, calls& others) : port_(port), calls_(others) {}

  /// Calls `then` when all have heard it, or patience has ended; at once if it is called again.
  void say(const std::string& by, std::function<void()> then);

  outcome_of<control::goodbye> hear(const request_of<control::goodbye>&, const caller&);
  /// It is there again.
  void came(pnn p) { heard_.erase(p); }
  /// By whom it was shut down, as it has said; null: it has not.
  const std::string* of(pnn) const;
  /// Of one that did not, it is known that it was not shut down.
  bool would_say(pnn) const;

 private:
  node_port& port_;
  calls& calls_;
  std::map<pnn, std::string> heard_;
  bool said_ = false;
};

}  // namespace floe
