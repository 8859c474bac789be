#pragma once
/// What the leader actor understands. One runs on every node: it votes, hears who leads, and when it leads itself
/// decides when a recovery is needed and drives it.
#include <string>
#include <variant>

#include "actors/cluster_view.hpp"
#include "actors/parcel.hpp"
#include "actors/timeline.hpp"
#include "protocol/tunables.hpp"

namespace floe {

struct leader_view { view_ptr view; };                ///< the node's view has changed (flags, mode, map ...)
struct leader_heard { parcel_ptr packet; };           ///< a message on one of the leader's srvids
struct leader_wanted { std::string why; };            ///< somebody on this node wants a recovery
struct leader_tunables { tunable_list values; };
/// Diagnosis: hold the recovery when a database enters the named phase ("pull", "push@locking.tdb"), until another
/// phase or nothing is named.
struct leader_hold { std::string phase; };
struct leader_timer { std::uint64_t id; };
struct leader_answer { std::function<void()> apply; };  ///< a control's answer, to be applied in our turn
struct leader_stop {};

using leader_message = std::variant<leader_view, leader_heard, leader_wanted, leader_tunables, leader_hold, leader_timer,
                                    leader_answer, leader_stop>;

}  // namespace floe
