#pragma once
/// Why a request failed: one code for each reaction of somebody (the rules of a recovery, the tool);
/// the text beside it is for people, and nobody decides by it. The cause is set where the request
/// ends and stays with its answer.
///
/// REPLY_CONTROL has no room for a cause. ctdbd says what it knows itself of a request to another
/// node in three fixed texts (Samba ctdb/server/ctdb_control.c); every other failure is a refusal.
/// Where a text does not say the cause, floe puts a word behind it, after a NUL at which readers of
/// CTDB end: "the node shuts down\0stopped".
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/bytes.hpp"

namespace floe {

enum class failure_cause : std::uint8_t {
  none,             ///< it did not fail
  refused,          ///< the node answered with an error
  timed_out,        ///< the node did not answer in time
  disconnected,     ///< the connection broke: the node is gone, not bad
  bad_answer,       ///< the node answered something that cannot be read
  count_mismatch,   ///< records announced and records arrived differ
  name_conflict,    ///< one database id, two names
  flag_conflict,    ///< one database, two kinds
  content_differs,  ///< it has something else than the others after a recovery
  outdated,         ///< what was surveyed does not hold any more
  deadline,         ///< the time for all tries together is used up
  deadlock,         ///< all databases were to freeze before any recovers, and cannot
  local,            ///< our own disk, store or merge
  apart,            ///< it takes no part in the generation that the request belongs to
  unfit,            ///< the leader may not lead (any more)
  stopped,          ///< given up from outside: leadership lost, node shuts down
};
/// For people: "timed out".
std::string_view name(failure_cause);

/// What ctdbd says when it cannot send a control, when the connection breaks under it, and when no
/// answer comes.
inline constexpr byte_view no_connection_text = "ctdb_control to disconnected node";
inline constexpr byte_view broken_connection_text = "node is disconnected";
inline constexpr byte_view control_timeout_text = "ctdb_control timed out";

struct spoken_failure {
  failure_cause cause = failure_cause::refused;
  std::string text;  ///< without the word and without a NUL
};
/// The error field of a REPLY_CONTROL for this failure.
bytes error_field(failure_cause, byte_view text);
/// What an error field says of a request that has failed: never `none`.
spoken_failure read_error_field(byte_view);

}  // namespace floe
