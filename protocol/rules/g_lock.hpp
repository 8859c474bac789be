#pragma once
/// CTDB's cluster-wide locks between clients: records of g_lock.tdb that list who holds them. A client that wants one locks
/// the record, looks at the list, and either adds itself or learns whom it has to ask about, with the record unlocked again:
///
///   look ──nobody in the way──► store the list with us in it: ours
///    ▲ └──a holder in the way──► is it alive? ──no──► look again without it
///    └────────────── after a while ◄─────────yes
///
/// Source: Samba ctdb/client/client_db.c (ctdb_g_lock_lock). smbd keeps another layout under the same names.
#include <cstdint>
#include <optional>
#include <span>

#include "protocol/types/record_content.hpp"

namespace floe {

/// Owners that are clients of floe: their unique id is also a srvid that they have registered, so that several of one process
/// can be told apart (CHECK_PID_SRVID); CTDB's own programs are known by their process alone.
constexpr std::uint32_t floe_lock_task = 0x464C4F45;
server_id floe_lock_owner(std::int32_t pid, pnn self, std::uint16_t nth);

/// Whether this holder keeps `by` from having the lock.
bool conflicts(const g_lock& holder, g_lock_type wanted, const server_id& by);

/// Puts `by` into the list, without what it had there and without the dead. If somebody is in the way, the list is not to be
/// stored, and that one is returned.
std::optional<server_id> join_or_blame(g_lock_list& list, g_lock_type wanted, const server_id& by,
                                       std::span<const server_id> dead);

/// False: it was not in the list.
bool leave(g_lock_list& list, const server_id& who);

}  // namespace floe
