#pragma once
/// Promises of the runtime that hold in every drill, whatever its script says. Each looks at the
/// history of all clients and at what was seen of the nodes, and says what it found.
///
/// A volatile database may lose what only a lost node had: a loss is *explained* if a node on which
/// the record was used since was disturbed (killed, paused, cut off, stopped, banned). Explained
/// losses are counted, all others break a promise.
#include <string>
#include <vector>

#include "cli/drill/history.hpp"

namespace floe::cli::drill {

/// A database on one node in a state in which it serves nobody.
struct frozen_span {
  std::size_t node = 0;
  std::string db;
  time_us from = 0, to = never;
};
struct generation_step {
  std::size_t node = 0;
  time_us at = 0;
  std::uint32_t before = 0, after = 0;
  bool in_recovery = false;  ///< the node knew of a recovery
};
/// What one node has of a record when everything is at rest.
struct resting_copy {
  std::size_t node = 0;
  std::string db, key;
  std::uint32_t dmaster = 0;
  std::uint64_t rsn = 0;
};
/// What has been seen of the nodes.
struct sightings {
  std::vector<frozen_span> frozen;
  std::vector<generation_step> generations;
  std::vector<resting_copy> resting;
  std::uint64_t answers = 0;                   ///< of nodes to clients
  std::vector<std::string> answered_twice;     ///< "client-3, request 17, at 12 ms"
  bool at_rest = true;                         ///< the cluster became NORMAL in time
  std::string unrest;                          ///< why it did not
};

struct finding {
  bool broken = false;          ///< false: explained, and counted
  std::string text;
};

struct checker {
  const char* name;
  const char* promise;  ///< one sentence, for people
  std::vector<finding> (*check)(const history&, const sightings&);
};

/// All, in the order of the report.
const std::vector<checker>& all_checkers();

checker kept_writes_checker();
checker kept_deletions_checker();
checker linear_records_checker();
checker exclusive_locks_checker();
checker rising_rsn_checker();
checker one_owner_checker();
checker frozen_reads_checker();
checker generations_checker();
checker answered_once_checker();
checker back_to_normal_checker();

std::string at_text(time_us);  ///< "12.345 s"
/// "locking.tdb/key"
std::string record_text(const operation&);

}  // namespace floe::cli::drill
