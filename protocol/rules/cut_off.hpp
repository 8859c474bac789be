#pragma once
/// Whether a node may still be one of those that go on. Others leave out who is silent for longer than their limit, and
/// recover without it; what it acknowledges after that is lost. So a node that has heard nothing for a shorter time than
/// that limit takes itself for cut off, and acknowledges nothing more: it freezes by itself. Only the commit of a recovery
/// in which it takes part ends that; never a thaw, and never a peer that is heard again, since others may have gone on
/// meanwhile.
///
///   a follower           has not heard its leader, or its leader it, or its leader's stream has broken
///   nobody leads         and a member of the map has not been heard for as long, or its stream has broken: it may have waited for
///                        nothing but the cluster lock, which nobody has now. Or nobody leads for as long, and a member is away
///   a leader, or whoever hears him   does not hear more members of its map than it hears: the leader may be cut off himself,
///                        and says so to nobody
///   anybody              was stopped itself for as long
///   a leader, or nobody  if a majority is asked for (quorum.hpp): less than that of the nodes is there
///
/// To be heard is what counts, where the other one tells what has reached it (keepalive_mark.hpp): a node that hears its leader may
/// be one whom he does not hear. It is then as silent as what he has heard last of it is old.
///
/// Members whose processes have ended are not away: they recover nothing. A leader that hears half of its map goes on; of
/// equal halves both do, unless there is a cluster lock.
///
/// Not in CTDB, where a node that is cut off goes on until its own daemon notices, 25 s later.
#include <cstddef>
#include <span>
#include <string_view>

#include "protocol/ids.hpp"
#include "protocol/rules/quorum.hpp"
#include "protocol/rules/time.hpp"

namespace floe {

/// One node, as this one sees it.
struct cut_off_peer {
  pnn node{0};
  bool in_map = false;
  bool connected = true;
  bool inactive = false;  ///< stopped or banned
  bool dead = false;      ///< its process has ended
  /// For `own_silence_limit` it has not been heard, or has not heard this node; or its stream has broken and it was not heard since.
  bool silent = false;
};

enum class cut_off_cause : std::uint8_t {
  none,
  leader_silent,
  no_leader,
  outnumbered,
  hung,
  no_majority
};
std::string_view text(cut_off_cause);

/// `without_leader`: how long this node has known of no leader.
cut_off_cause is_cut_off(pnn self, pnn leader, std::span<const cut_off_peer> nodes,
                         duration without_leader, duration limit, quorum_rule);

/// Whether a look at the nodes is news, which makes the databases freeze: what was seen before has, and a recovery may have
/// opened them since. That its leader, who was heard, had taken for enough what this node did not hear says nothing when he is
/// gone, or not heard any more.
bool begins_to_be_cut_off(cut_off_cause before, cut_off_cause now);

/// So long before others leave a node out it counts itself out: two of its keepalives may be on their way.
duration own_silence_limit(duration others_limit, duration keepalive_interval);

}  // namespace floe
