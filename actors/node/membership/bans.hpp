#pragma once
/// Bans of this node: who set it, why, and when it ends.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "actors/control_call.hpp"
#include "actors/node/membership/departing.hpp"
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
    bool for_want_of_room = false;  ///< and of nothing else: it ends when there is room
  };
  bans(node_port& port, membership& m, departing& d, const registry& databases)
      : port_(port), membership_(m), departing_(d), databases_(databases) {}

  /// A client has kept a database from freezing for too long; or what a recovery brings cannot be stored. Who cannot store leaves
  /// in good order: of the other databases, some of which may be open again and used, it may have all there is.
  void ban_self(const floe::ban_self&);
  /// A database that could not store has room again, or has stored.
  void room_is_back(db_id);
  /// Once a second: whether it ends.
  void tick();
  const std::optional<ban>& current() const { return ban_; }

  void set_ban_state(const request_of<control::set_ban_state>&, const caller&,
                     const answer_to<control::set_ban_state>&);
  outcome_of<control::get_ban_state> get_ban_state() const;
  outcome_of<control::ban_reason> ban_reason(const request_of<control::ban_reason>&, const caller&);

 private:
  void ban_in_good_order(std::string why, pnn by, std::uint32_t seconds);
  void set(ban_cause, std::string why, pnn by, std::uint32_t seconds);
  void lift(const std::string& why);
  void has_left(bool handed_over);
  void go_on(bool handed_over);
  void hurry();
  bool is_last_one() const;
  void remember_lack_of_room(db_id);
  void look_for_room();

  struct leaving {  ///< because it cannot store
    std::string why;
    time_point since;
    bool for_want_of_room = true;  ///< and of nothing else
  };
  struct unmade_file {      ///< of a database that could not be opened for want of room
    unsigned failures = 0;  ///< since it was open: who finds room may be wrong
    time_point look_at;
  };
  struct announcement {  ///< a leader has said why it will ban us
    pnn by{0};
    ban_cause cause{};
    std::string why;
    time_point when;
  };

  node_port& port_;
  membership& membership_;
  departing& departing_;
  const registry& databases_;
  std::optional<ban> ban_;
  std::set<db_id> short_of_room_;  ///< databases that wait for room
  std::map<db_id, unmade_file> unmade_files_;
  std::optional<announcement> announced_;
  std::optional<leaving> leaving_;
  std::set<departing::way> lifted_;  ///< before the node had left
};

}  // namespace floe
