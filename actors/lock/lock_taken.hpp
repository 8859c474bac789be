#pragma once
/// What a node says that could take the cluster lock when it was told that a recovery is over: the leader does not hold it.
/// In ctdbd's words (Samba ctdb/server/ctdb_recover.c): an answer has room for nothing but a text.
#include <string_view>

namespace floe {

inline constexpr std::string_view lock_taken_text = "Took cluster lock from leader during recovery";

}  // namespace floe
