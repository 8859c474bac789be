#pragma once
/// Bans of this node: who set it, why, and when it ends.
#include <cstdint>
#include <optional>
#include <string>

#include "actors/control_call.hpp"
#include "actors/node/membership/membership.hpp"
#include "actors/node/node_port.hpp"
#include "protocol/rules/ban_end.hpp"

namespace floe {

class bans {
 public:
  struct ban {
    ban_cause cause{};
    std::string why;
    pnn by{0};
    std::uint32_t seconds = 0;
    time_point since;
    std::int64_t since_us = 0;
  };
  bans(node_port& port, membership& m, const registry& databases)
      : port_(port), membership_(m), databases_(databases) {}

  /// A client has kept a database from freezing for too long.
  void ban_self(const floe::ban_self&);
  /// Once a second: whether it ends.
  void tick();
  const std::optional<ban>& current() const { return ban_; }

  void set_ban_state(const request_of<control::set_ban_state>&, const caller&,
                     const answer_to<control::set_ban_state>&);
  outcome_of<control::get_ban_state> get_ban_state() const;
  outcome_of<control::ban_reason> ban_reason(const request_of<control::ban_reason>&, const caller&);

 private:
  void set(ban_cause, std::string why, pnn by, std::uint32_t seconds);
  void lift(const std::string& why);

  struct announcement {  ///< a leader has said why it will ban us
    pnn by{0};
    ban_cause cause{};
    std::string why;
    time_point when;
  };

  node_port& port_;
  membership& membership_;
  const registry& databases_;
  std::optional<ban> ban_;
  std::optional<announcement> announced_;
};

}  // namespace floe
