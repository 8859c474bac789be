#pragma once
/// Promises of the runtime that hold in every drill, whatever its script says. Each looks at the
/// history of all clients and at what was seen of the nodes, and says what it found.
///
/// A volatile database may lose what only a lost node had: a loss is *explained* if every node that
/// had the record as it was written, or later, was harmed after that (losses.hpp), and it is put
/// down to the disturbance of the one that had it last. Explained losses are counted, all others
/// break a promise.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cli/drill/checker/history.hpp"

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
/// The recovery of one database: whose copies were put together, and who has the result.
struct database_recovery {
  std::string db;
  std::uint32_t generation = 0;
  time_us at = 0;          ///< when the copies were asked for
  bool unchanged = false;  ///< all had the same, so none were asked for
  std::set<std::size_t> from;
  std::map<std::size_t, time_us> committed;  ///< by node
};
/// A node has been given a vnn map.
struct map_seen {
  std::size_t node = 0;
  time_us at = 0;
  std::uint32_t generation = 0;
  bool in = false;  ///< the node is in it
};
/// A node has found another one, or has lost it.
struct link_seen {
  std::size_t node = 0;
  time_us at = 0;
  std::size_t other = 0;
  bool up = false;
};
/// A tool has put another content in the place of what a node had, outside of a recovery.
struct replacement_seen {
  std::size_t node = 0;
  std::string db;
  time_us at = 0;
};
struct ban_seen {
  std::size_t node = 0;
  time_us at = 0;
  std::string line;        ///< as the node logged it
  bool by_script = false;  ///< the drill has asked for it, or allows it
};
/// What has been seen of the nodes.
struct observations {
  std::vector<frozen_span> frozen;
  std::vector<frozen_span> inactive;  ///< a node was stopped or banned; of no database
  std::vector<generation_step> generations;
  std::vector<map_seen> maps;
  std::vector<link_seen> links;
  std::vector<replacement_seen> replacements;
  std::vector<resting_copy> resting;
  std::vector<database_recovery> recoveries;
  std::vector<ban_seen> bans;
  std::vector<time_us> recovery_runs;                ///< when one was started, by whichever node
  std::uint64_t records_kept = 0, records_lost = 0;  ///< of nodes that came back, in recoveries
  std::uint64_t answers = 0;                         ///< of nodes to clients
  std::vector<std::string>
      differences;                 ///< contents that nodes had after a recovery, and were not equal
  std::vector<std::string> spins;  ///< requests sent again and again without a pause
  std::vector<std::string> answered_twice;  ///< "client-3, request 17, at 12 ms"
  bool at_rest = true;                      ///< the cluster became NORMAL in time
  std::string unrest;                       ///< why it did not
};

struct finding {
  bool broken = false;  ///< false: explained, and counted
  std::string text;
  std::string because{};  ///< of an explained one: the disturbance, "node 1, killed at 2.407 s"
};

struct checker {
  const char* name;
  const char* promise;  ///< one sentence, for people
  std::vector<finding> (*check)(const history&, const observations&);
  bool about_losses = false;  ///< what it explains are losses, which a drill may forbid
};

/// All, in the order of the report.
const std::vector<checker>& all_checkers();

checker kept_writes_checker();
checker kept_deletions_checker();
checker linear_records_checker();
checker exclusive_locks_checker();
checker rising_rsn_checker();
checker one_owner_checker();
checker whole_commits_checker();
checker kept_commits_checker();
checker ordered_commits_checker();
checker equal_copies_checker();
checker equal_contents_checker();
checker undeserved_bans_checker();
checker frozen_reads_checker();
checker generations_checker();
checker answered_once_checker();
checker no_spinning_checker();
checker back_to_normal_checker();

std::string at_text(time_us);  ///< "12.345 s"
/// "node 1, killed at 2.407 s"
std::string cause_text(const disturbance&);
/// "locking.tdb/key"
std::string record_text(const operation&);

}  // namespace floe::cli::drill
