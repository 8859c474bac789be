#pragma once
/// Whether the cluster needs a recovery: the leader's checks as one pure function of what it knows
/// about all nodes at one moment. The first check that finds something decides.
///
/// Source: Samba ctdb/server/ctdb_recoverd.c, main_loop (checks in this order). Differences: an
/// active cluster without any lmaster is not recovered again and again; a map of another size and a
/// lost cluster lock are nobody's fault; what is not known yet decides nothing, instead of ending
/// the round.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/ids.hpp"
#include "protocol/rules/freeze.hpp"
#include "protocol/rules/time.hpp"

namespace floe {

/// One connected node, as the leader knows it.
struct node_snapshot {
  pnn node{0};
  std::uint32_t flags = 0;  ///< the node's own opinion
  std::uint32_t capabilities = 0;
  std::optional<recovery_mode> mode{};
  /// pnn by pnn, what the node's own nodes file says; equal texts mean equal lines.
  std::optional<std::vector<std::string>> node_list{};
  std::optional<generation> gen{};  ///< of its vnn map
  std::vector<pnn> map{};           ///< if gen is known
};

struct recovery_snapshot {
  pnn leader{0};
  std::span<const node_snapshot> nodes{};  ///< connected ones, the leader among them
  std::span<const pnn> members{};          ///< of the leader's generation, in the map or beside it
  bool unfinished = false;                 ///< the last recovery failed, or was asked for by hand
  bool lock_lost = false;                  ///< a cluster lock is configured and not held
  bool suppressed = false;  ///< just recovered, or disabled for a reload of the nodes file
};

enum class recovery_reason : std::uint8_t {
  none,
  unfinished,          ///< the last recovery failed
  mode_active,         ///< a node is in recovery mode ACTIVE: it wants one
  lock_lost,           ///< the cluster lock is not held
  node_list_differs,   ///< a node has other lines in its nodes file
  map_size,            ///< a node died, was stopped or banned, came back, is no lmaster any more
  not_in_map,          ///< an active lmaster is not in the map
  generation_differs,  ///< a node missed a recovery
  map_differs,         ///< a node has another map under the same generation
  // what is not found by looking, but happens
  node_lost,   ///< a member is not connected any more
  node_unfit,  ///< a node became inactive during a recovery
  asked,       ///< somebody wants one
};
constexpr auto last_recovery_reason = recovery_reason::asked;
std::string_view name(recovery_reason);

struct recovery_need {
  recovery_reason reason = recovery_reason::none;
  pnn culprit = pnn::unknown;  ///< gets a ban credit
  std::string detail{};        ///< for people
  explicit operator bool() const { return reason != recovery_reason::none; }
};

recovery_need needs_recovery(const recovery_snapshot&);

/// How long a database may be frozen or in a transaction in a cluster that is NORMAL before its node asks for a recovery
/// of it. `frozen_by`: the node that froze it for a recovery, unknown if a tool did, which replaces its content; a leader
/// that leads no more will not thaw it. `budget`: what a step of a recovery may take.
duration freeze_patience(freeze_state, pnn frozen_by, pnn leader, duration budget);

}  // namespace floe
