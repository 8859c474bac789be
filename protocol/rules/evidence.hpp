#pragma once
/// Who failed how: what a recovery keeps of everything that went wrong in it. From it come the log,
/// the verdict of a failed recovery and, where a node itself is at fault, ban credits.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "protocol/ids.hpp"

namespace floe {

enum class failure_cause : std::uint8_t {
  refused,         ///< the node answered with an error
  timed_out,       ///< the node did not answer in time
  disconnected,    ///< the connection broke: the node is gone, not bad
  count_mismatch,  ///< records announced and records arrived differ
  name_conflict,   ///< one database id, two names
  flag_conflict,   ///< one database, two kinds
  deadline,        ///< the time for all tries together is used up
  deadlock,        ///< all databases were to freeze before any recovers, and cannot
  local,           ///< our own disk, store or merge
  unfit,           ///< the leader may not lead (any more)
  stopped,         ///< given up from outside: leadership lost, node shuts down
};
std::string_view name(failure_cause);

struct evidence {
  pnn node = pnn::unknown;  ///< unknown: nobody in particular
  failure_cause cause{};
  db_id db{0};              ///< 0: the cluster part of the recovery
  std::string_view step{};  ///< name of the phase it happened in
  std::string detail{};     ///< for people
  /// One ban credit for the node: only where CTDB gives one (Samba
  /// ctdb/server/ctdb_recovery_helper.c: attach, freeze and pull of one database).
  bool credit = false;
  bool operator==(const evidence&) const = default;
};
/// "node 2 timed out in freeze of 0x7a19d84d: ..."
std::string describe(const evidence&);

/// "0,2,3"
std::string describe(std::span<const pnn> nodes);

}  // namespace floe
