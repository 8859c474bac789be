#pragma once
/// Where a record's location is known: the lmaster of a key, and the map that decides it.
/// slot = hash(key) mod size of the vnn map (Samba ctdb/server/ctdb_ltdb_server.c, ctdb_lmaster).
#include <span>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"

namespace floe {

/// The node that tracks where the record `key` lives; pnn::unknown while there is no map.
pnn lmaster_of(byte_view key, std::span<const pnn> map);

/// Whose the record is. After a recovery that left every record its dmaster some may name a node that is
/// no member of this generation: these belong to their lmaster, who writes itself into the record before anybody gets
/// it. What it means depends on the present map and members alone, so all nodes agree. `members`: of the map, and those that take part
/// beside it, since they track no records. Rule R7 of the model, tests/model/README.md.
pnn owner_of(byte_view key, pnn dmaster, std::span<const pnn> map, std::span<const pnn> members);

/// What a node must tell to be placed in a map.
struct map_candidate {
  pnn node{0};
  bool lmaster_capable = true;
  bool leaves = false;  ///< with the recovery that makes the map
};

/// The slots of a new vnn map: every participant that may be lmaster, in pnn order; the leader
/// alone if none may (Samba ctdb/server/ctdb_recovery_helper.c, recovery_active_done). If that one leaves, the first of those that
/// stay: with a map of its own it would take part in what comes, and never have left.
std::vector<pnn> make_vnn_slots(std::span<const map_candidate> participants, pnn leader);

}  // namespace floe
