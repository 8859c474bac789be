#pragma once
/// The freeze that a node puts on its own databases when it must expect that others have gone on without it (cut_off.hpp).
///
///            cut off                     a recovery freezes it, and counts what is here
///     none ───────────► muted ◄───────────────────────────────────────────────────────► counted
///      ▲                  │                                cut off                          │
///      │                  │ ... does not count it, or is of an outnumbered part             │
///      │                  └────────────────────────────► voided ◄───────────────────────────┘
///      └──── from each of them: the commit of a recovery
///
/// While it lasts the database stays frozen: a thaw is refused, whoever sends it, and operators replace nothing. Holders of
/// locks keep them; what they store while it is muted waits, since it would be lost if the others have gone on. A recovery
/// that counts this node's copies waits for the holders, as ever, and so what they store is good again; one that does not
/// count them voids the locks, also of a node that has not noticed anything.
/// So does one of a part of which more members are silent than take part, where parts go on without a lock and a majority
/// (quorum.hpp): until it is committed, the others may have left this part behind, and whoever is more counts (lineage.hpp).
/// Nor does a holder store anything on a node that is stopped or banned. A transaction that was open is closed: it may
/// be of a leader that is outdated.
///
/// Rule R10 of the model (tests/model/README.md), and rule R3 for what follows.
///
/// Beside it: which thaw may open a database at all. Nodes send with the generation of their vnn map, and a leader's is that
/// of its recovery. A leader that has been overtaken would open what the next one has put together with others already.
///
/// Not in CTDB.
#include <cstdint>
#include <string_view>

#include "protocol/ids.hpp"

namespace floe {

/// Flag of DB_FREEZE among floe nodes, one of those that every control has for itself: the recovery does not count the
/// copies of the node that is asked.
constexpr std::uint32_t freeze_outdated = 0x00010000;
/// The same: the recovery counts them, and nobody may count the recovery.
constexpr std::uint32_t freeze_outnumbered = 0x00040000;

enum class own_freeze : std::uint8_t { none, muted, counted, voided };
std::string_view name(own_freeze);

enum class own_freeze_event : std::uint8_t { cut_off, counted, left_out, committed };
own_freeze step(own_freeze, own_freeze_event);

/// Whether a thaw at the end of the recovery to `of` opens a database with this content on a node with this map.
bool may_thaw(generation of, generation content, generation map, bool in_transaction);

}  // namespace floe
