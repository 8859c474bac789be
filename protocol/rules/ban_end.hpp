#pragma once
/// When a ban is over. CTDB knows the time only (and bans again when the node is not frozen by
/// then; Samba ctdb/server/ctdb_banning.c); here a ban has a cause, and ends when that has gone.
#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/rules/time.hpp"

namespace floe {

enum class ban_cause : std::uint8_t {
  asked,       ///< by a person, or by a leader that gives no reason: it lasts as long as asked for
  not_frozen,  ///< a client kept a database from freezing
  cannot_store,  ///< it cannot store what a recovery brings: it says so itself
  spoiled,       ///< the node spoiled recoveries in another way
};
std::string_view name(ban_cause);
std::optional<ban_cause> ban_cause_named(std::string_view);

enum class ban_state_now : std::uint8_t {
  goes_on,
  ends,
  renewed,  ///< its time is over, but the node is still not frozen
};

struct ban_sight {
  bool frozen = false;  ///< every database of the node is
  bool room = false;    ///< every disk that was full has room for what could not be stored
};
ban_state_now judge_ban(ban_cause, const ban_sight&, duration age, duration length);

/// How long a database whose disk was full waits before it looks for room. A look that is wrong costs a recovery and a
/// ban: the more often storing has failed in a row, the longer.
duration room_pause(unsigned failures_in_a_row);

}  // namespace floe
