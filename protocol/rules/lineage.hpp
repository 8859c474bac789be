#pragma once
/// Who took part in the last generation: whose volatile records count in a recovery. And how new
/// generations are numbered, so that this can be told.
///
/// A claim says at which generation a node is and who the members of that generation were. Of two
/// generations A and B the first of these decides:
///
///   parted       neither has a member at the other, and all members of the earlier one are still at
///                it, so that nobody can have gone on from there: two parts went on separately. The
///                larger one counts, however often the smaller has recovered since (a node that hung
///                loses its peers one by one when it wakes up, and recovers from the loss of each,
///                alone).
///   stayed       B followed A, but of the nodes of A more are still there, awake, than B ever had: a
///                smaller part was quicker to recover than the larger one, which had gone on
///                meanwhile. The larger one counts. (A node that has hung does not know what it has
///                missed: it does not name itself among the members, and is not counted as awake.) Not where
///                a cluster lock decides which part goes on: the larger one has not had it, has frozen, and
///                nothing was acknowledged there since.
///   slept        all nodes of A have hung, others of its members are at B, and none of B's at A: they went on
///                without them, whatever the numbers (nodes that are started again count anew).
///   number       B is later than A and somebody has committed its content: A is outdated. Who has
///                committed has all there was, even if the recovery was cut off after that.
///   side by side both have the same number: whoever had followed the other would have a later one. (A node was
///                killed, started again out of reach of the others, and has recovered alone as often as they have.)
///                The one with more nodes counts, of equals the one that had more members.
///   A is older   it has a member that is now at B, and B has none that is at A: B followed A, and
///                the nodes still at A missed it.
///   one history  each has a member at the other: B was announced, but its recovery was cut off
///                before anything was touched. Nobody has missed anything; both count.
///   strangers    neither has a member at the other: the nodes in between are gone. The later number
///                counts, if there is one; else the larger part, then the leader's, then that of the
///                lowest pnn.
///
/// Nodes without a valid generation (restarted, stopped, banned) took no part. Rule R13 of the model, tests/model/README.md.
///
/// To the wire a generation is a random number. Ours say more, at no cost to others: bit 31 set
/// (ctdbd draws 31 bits, so it never sets it), 19 bits that count up, and 12 that name the leader and its life (cluster_recovery.cpp):
/// two generations are never called the same, unless a node is started 63 times, a cluster has more than 64 nodes, or the disk
/// that remembers the lives is lost. The order is modulo 2^19. A generation drawn by a ctdbd has no order.
///
/// Not in CTDB, where every copy counts (Samba ctdb/server/ctdb_recovery_helper.c).
#include <cstdint>
#include <span>
#include <vector>

#include "protocol/ids.hpp"

namespace floe {

/// Where a node, or one of its databases, stands.
struct lineage {
  generation gen = generation::invalid;
  std::vector<pnn> members{};  ///< of `gen`: its vnn map
  /// The generation of a database's content, set by the commit of its recovery. False: that of the
  /// node's vnn map, all that a ctdbd can tell; between the setting of the map and the commit it
  /// says too much.
  bool committed = false;
};

struct lineage_claim {
  pnn node{0};
  lineage line{};
};

/// The nodes whose records count, in pnn order. `one_part_serves`: a cluster lock decides which part of a cluster goes on.
std::vector<pnn> last_generation_members(std::span<const lineage_claim> claims, pnn leader,
                                         bool one_part_serves = false);

/// A generation later than all known ones that have an order.
generation next_generation(std::span<const generation> known, std::uint32_t named);

/// Later than this one, and than the next `more`: as far as a node reserves numbers, so that it counts on from there after a
/// restart (actors/node/membership/last_map.hpp). Invalid if it has no order.
generation later_by(generation, std::uint32_t more);

/// The name of the empty content with which nodes of this map's generation create a volatile database: until the
/// first recovery it is what they have in common. Invalid if the generation has no order.
generation birth_under(generation map);
bool is_birth(generation);

/// Flag of DB_TRANSACTION_COMMIT among floe nodes, one of those that every control has for itself: nobody's copy of a volatile
/// database has counted, so that what is committed has no past but the empty content.
constexpr std::uint32_t commit_of_nothing = 0x00010000;

/// The name of a content that a client has put in the place of one of this map's generation, outside of a recovery
/// (freeze.hpp): later than the generation, earlier than the next one, and no map's. Invalid if the generation has no order.
generation replaced_under(generation map);
bool is_replaced(generation);
/// Names of generations end with the leader (6 bits) and its life (6 bits); this life no leader has.
constexpr std::uint32_t life_of_replaced = 63;

/// Whether both were named by the same life of the same leader.
bool same_life(generation a, generation b);

/// Whether both have an order, and `a` is later.
bool is_later(generation a, generation b);

/// Whether a node at `a` refuses to go to `b`: `b` belongs to an older recovery, or to one that was numbered at
/// the same time and lost by its name. Never, if one of them has no order.
bool supersedes(generation a, generation b);

}  // namespace floe
