#pragma once
/// How a node leaves a cluster in good order, because an operator stops or bans it, its process is to end, or it cannot store what a recovery brings: it takes part in one more
/// recovery, which gives what it has to the others, and is in the map of that recovery no more. Nothing that it has acknowledged is
/// lost; a killed node, and one that others ban since it spoils their recoveries, loses what only it had.
///
///     stays ──leave──► asked ──a map without it──► without ──the recovery is over──► left
///                       │  ▲ │                        │
///                       │  └─┘ the recovery is over:  │  patience, or inactive for another reason
///                       │      it had begun before    │
///                       └─────────────────────────────┴──► left, without having handed over; also when it is alone
///
///     stays ──all others are still coming──► waits ──one of them is in the map──► asked
///                                              └──patience, they are gone──► left, without having handed over
///
/// Who comes is in no map, and can be given nothing: it is being filled (joining.hpp), which takes as long as there is to send, or is about
/// to be taken in. It is told to join as it is, and the node goes on until it has; so it does if those are lost while it leaves who
/// could have been given everything (asked ──all others are still coming──► waits).
///
/// From `asked` on it tells in its capabilities that it is leaving, and tracks no records; nor does it lead, unless it does already
/// (or nobody does) and all others are floe nodes. It asks for a recovery by its recovery mode. Its databases freeze as soon as those who hold locks let go of them (for a second, then their connections are
/// closed), and stay frozen after the recovery. It works under a ctdbd that leads as well: its recoveries give every record to
/// the leader.
///
/// Where nobody else is there who could take anything it leaves at once; so it does when all leave together, and nobody stays who could
/// end the recovery that has left it out.
///
/// Who is to go on after all, and has handed over nothing, stays: it is not inactive for a moment, so what only it has counts in the
/// recovery that takes it into the map again.
///
/// Not in CTDB, where a node that is stopped, banned or shut down takes with it what only it had.
#include <cstdint>
#include <string_view>

#include "protocol/rules/time.hpp"

namespace floe {

enum class departure : std::uint8_t { stays, waits, asked, without, left };
std::string_view name(departure);

enum class departure_event : std::uint8_t {
  leave,           ///< and somebody is there to whom it can give what it has
  others_come,     ///< it is to leave, and all who are there have yet to be taken in
  alone,           ///< nobody is
  map_with,        ///< a new vnn map has this node
  map_without,     ///< a new vnn map has not
  recovered,       ///< a recovery has ended with this node
  patience_ended,  ///< see patience_of()
  inactive,        ///< stopped or banned
};
std::string_view name(departure_event);

struct departure_step {
  departure next{};
  bool ask = false;          ///< for a recovery
  bool handed_over = false;  ///< left: everything
  bool operator==(const departure_step&) const = default;
};
/// Events that mean nothing in a state change nothing.
departure_step step(departure, departure_event);

/// How long a node waits in this state: for a recovery to begin, also when a leader has to be elected first or is a ctdbd, which
/// looks once a second; for its end, half of the time that a recovery may take, since an operator waits, but no less than for its
/// beginning.
duration patience_of(departure, duration recover_timeout);

/// Who asks again for a node to be taken out after so long is in a hurry. Before, it is the same wish told twice, by a script or two
/// operators, and costs nobody what only that node has.
constexpr duration hurried_after = std::chrono::seconds(2);

/// How long a node waits in all states together that leaves since it cannot store what a recovery brings. The recovery that takes
/// everything from it does without its commit (db_recovery.hpp). One that a ctdbd may lead does not, and fails without end; nor does any
/// if the node cannot read any more what it has.
duration patience_without_store(bool others_can_do_without);

}  // namespace floe
