#pragma once
/// Who failed how: what a recovery keeps of everything that went wrong in it. From it come the log,
/// the verdict of a failed recovery and, where a node itself is at fault, ban credits.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "protocol/failure_cause.hpp"
#include "protocol/ids.hpp"

namespace floe {

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
