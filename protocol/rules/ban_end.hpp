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
  cannot_store,  ///< it has no room for what a recovery brings: it says so itself
  spoiled,       ///< the node spoiled recoveries in another way
};
std::string_view name(ban_cause);
std::optional<ban_cause> ban_cause_named(std::string_view);

enum class ban_state_now : std::uint8_t {
  goes_on,
  ends,
  renewed,  ///< its time is over, but the node is still not frozen
};

/// `frozen`: every database of the node is.
ban_state_now judge_ban(ban_cause, bool frozen, duration age, duration length);

}  // namespace floe
