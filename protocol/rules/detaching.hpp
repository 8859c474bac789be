#pragma once
/// How a volatile database is detached: by all connected nodes, and so that no client of any of them sees it half gone.
///
///     ask ──agreed──► settle ──agreed──► close ──agreed──► drop ──agreed──► drop_here ──agreed──► renew ──► release ──► done
///      │              ▲ │ │              ▲ │  ▲              │                  │
///      │           busy └─┘ │           busy └─┘ └──── busy ───┴──────────────────┘
///      │                  │                │
///      │     refused, late│                └─refused, late──► reopen ──┐          late, in drop or drop_here
///      └─ anything else ──┴────────────────────────────────────────────┴──► failed ◄────────────────────────
///
/// A node refuses to drop it in the middle of a recovery, so nothing is closed before no recovery is seen at any node (`settle`): what
/// is closed serves nobody. One that is stopped or banned takes part in none, and drops what it has.
///
/// Before any node lets go of what it has, all *close* the database: it stays frozen, whatever recoveries come, and no lock in it
/// counts any more. Else a recovery that begins between the first node and the last one would put together a content from what is
/// left, and serve that: the newest records are gone with their owners, older copies are back.
///
/// A node drops it when no recovery goes on there. A recovery may give it to a node once more that has dropped it already: that
/// node still has the word, and opens it closed. The word ends with the release; a node that hears no more of it for
/// `closed_lasts` takes the detaching over, as the node of the operator may be gone.
///
/// When nobody has it any more the cluster is recovered once (`renew`): requests, records and answers of before may still be on
/// their way, on a slow link for seconds, and carry the generation in which a client may make the database anew at once. Under another
/// one they are dropped. Until then whoever makes it anew opens it closed, as above. If no recovery ends within the patience the word is
/// released all the same.
///
/// ctdbd and floe below feature level 5 know no such word: they drop the database when they are told, as ever.
///
/// Not in CTDB, which broadcasts DB_DETACH and does not wait.
#include <cstdint>
#include <string_view>

#include "protocol/rules/time.hpp"

namespace floe {

/// Flags of DB_DETACH among floe nodes of feature level 5, two of those that every control has for itself.
constexpr std::uint32_t detach_close = 0x00010000;
constexpr std::uint32_t detach_release = 0x00020000;

/// A word that was not renewed for so long is taken up by who has it; by who has nothing any more it is forgotten after twice as long.
constexpr duration closed_lasts = std::chrono::seconds(15);

enum class detach_step : std::uint8_t {
  ask,        ///< whether clients may attach it again, which is the one reason to refuse
  settle,     ///< whether a recovery goes on anywhere
  close,      ///< serve nobody any more
  drop,       ///< all others
  drop_here,  ///< this node
  renew,      ///< the generation, by a recovery; where all know the word
  release,    ///< the word, now that nobody has the database
  reopen,     ///< where it was closed: nothing is detached
  done,
  failed,
};
std::string_view name(detach_step);

enum class detach_event : std::uint8_t {
  agreed,   ///< all that were asked
  busy,     ///< some could not yet: all are asked again
  refused,  ///< somebody will not
  late,     ///< some could not yet, and the patience is over
};
std::string_view name(detach_event);

detach_step step(detach_step, detach_event);

}  // namespace floe
