#pragma once
/// What the leader actor understands. One runs on every node: it votes, hears who leads, and when it leads itself
/// decides when a recovery is needed and drives it.
#include <string>
#include <variant>

#include "actors/cluster_view.hpp"
#include "actors/lock/cluster_lock.hpp"
#include "actors/parcel.hpp"
#include "actors/recovery/leader_question.hpp"
#include "actors/recovery/recovery_message.hpp"
#include "actors/replier.hpp"
#include "protocol/rules/leader_watch.hpp"
#include "protocol/tunables.hpp"

namespace floe {

/// The node's view has changed (flags, mode, map ...).
struct leader_view {
  view_ptr view;
};
/// A message on one of the leader's srvids.
struct leader_heard {
  parcel_ptr packet;
};
/// Somebody on this node wants a recovery.
struct leader_wanted {
  std::string why;
};
struct leader_tunables {
  tunable_list values;
};
/// Diagnosis: hold the recovery when a database enters the named phase ("pull", "push@locking.tdb"), until another
/// phase or nothing is named.
struct leader_hold {
  std::string phase;
};
struct leader_timer {
  std::uint64_t id;  ///< of the election; 0: the tick
};
struct leader_woke {
  watch_alarm why;
};
struct leader_pause_over {};  ///< nobody asks for no recoveries any more
struct leader_answer {
  leader_question about;
  control_answer answer;
};
struct leader_lock_answered {
  std::uint64_t serial;
  lock_answer answer;
};
struct leader_lock_lost {
  std::uint64_t serial;
  std::string why;
};
struct leader_lock_released {};
/// The coordinator has ended.
struct leader_recovered {
  recovery_result result;
};
struct leader_stop {};

using leader_message =
    std::variant<leader_view, leader_heard, leader_wanted, leader_tunables, leader_hold,
                 leader_timer, leader_woke, leader_pause_over, leader_answer, leader_lock_answered,
                 leader_lock_lost, leader_lock_released, leader_recovered, leader_stop>;

}  // namespace floe
