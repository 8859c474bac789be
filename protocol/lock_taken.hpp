#pragma once
/// What a node says that could take the cluster lock when it was told that a recovery is over: the leader does not hold it.
/// The cause of such a failure is `unfit`, known by ctdbd's words (Samba ctdb/server/ctdb_recover.c): its answer has room for
/// nothing but a text.
#include "protocol/bytes.hpp"

namespace floe {

inline constexpr byte_view lock_taken_text = "Took cluster lock from leader during recovery";

}  // namespace floe
