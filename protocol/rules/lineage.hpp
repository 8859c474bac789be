#pragma once
/// Who took part in the last generation: whose volatile records count in a recovery.
///
/// Generations are random numbers, so which of two is older must be told from who is where. Each
/// node says at which generation it is and who the members of that generation were (as known to it:
/// its vnn map).
///
///   older     A has a member that is now at B, and B has none that is at A: B followed A, and the
///             nodes still at A missed B. Their copies are outdated.
///   the same  each has a member at the other: B was announced but had not reached every member
///             when its recovery was cut off, and no database is recovered before a map has reached
///             them all. Nobody has missed anything.
///   strangers neither has a member at the other: two halves went on separately. One history is
///             kept: that of the larger half; of equal ones the leader's; else of the lowest pnn.
///
/// Nodes without a valid generation (restarted, stopped, banned) took no part. Not in CTDB, where
/// every copy counts (Samba ctdb/server/ctdb_recovery_helper.c).
#include <span>
#include <vector>

#include "protocol/ids.hpp"

namespace floe {

struct lineage_claim {
  pnn node{0};
  generation gen = generation::invalid;
  std::vector<pnn> members{};  ///< of `gen`
};

/// The nodes whose records count, in pnn order.
std::vector<pnn> last_generation_members(std::span<const lineage_claim> claims, pnn leader);

}  // namespace floe
