#pragma once
/// What is wrong in the whole cluster: every node that can be reached is asked for its report; who does not answer, and what
/// only all reports together show (a record lock that is not given back while others wait), is added to what they say.
/// Ages in milliseconds.
#include "cli/troubles.hpp"

namespace floe::cli {

struct diagnosis {
  node_reports reports;
  std::vector<pnn> asked;
  std::vector<pnn> without_report;      ///< a ctdbd, which has none
  std::vector<known_trouble> troubles;  ///< causes first, in the order of the first node's report
  bool ill() const;
};

/// `first`: whose words count most. Asks all at once and waits for nobody longer than `patience`.
diagnosis diagnose(blocking_client&, const node_map&, pnn first, duration patience);

/// Record locks that others wait for, and those that nobody waits for yet and that would keep a recovery waiting; and who waits
/// for whom in a circle.
std::vector<known_trouble> lock_troubles(const node_reports&, pnn told_by);

/// Who holds this record's lock, or what its queue waits for: "held by smbd (pid 4711, node 1) for 9.0 s"; empty: it is free.
std::string who_has(const node_reports&, db_id, byte_view key);

}  // namespace floe::cli
