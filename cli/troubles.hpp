#pragma once
/// What is wrong in a cluster, from the reports of its nodes: each thing once, told by who knows most of it.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/wire/json.hpp"

namespace floe::cli {

/// A trouble of a node's report (actors/node/report/troubles.hpp).
struct known_trouble {
  std::string kind, text, next, db;
  std::optional<pnn> node;
  std::optional<std::int64_t> age_ms;
  bool ill = true;
  pnn told_by{0};
};

/// What GET_NODE_STATUS says, by node; a ctdbd has none.
using node_reports = std::map<pnn, std::string>;

/// Asks all of them at once; who does not answer in time, or is a ctdbd, is not among them.
node_reports ask_reports(blocking_client&, const std::vector<pnn>& nodes, duration patience);
/// Nodes that can be asked: connected and not deleted.
std::vector<pnn> reachable(const node_map&);

/// The worst first, in the order of `first`'s report.
std::vector<known_trouble> troubles_in(const node_reports&, pnn first);
/// Why the node is not OK; empty if nobody says so.
std::string reason_of(const std::vector<known_trouble>&, pnn node);
/// Not of a moment: a recovery or an election is over within two seconds, as a rule.
bool lasts(const known_trouble&);
/// "nobody leads the cluster: ..., for 12.0 s".
std::string with_age(const known_trouble&);
/// The first that keeps a report's cluster from working, with its age; empty: none.
std::string first_illness(const std::string& report);

/// As a member of a list.
void put_trouble(wire::json_writer&, const known_trouble&);

}  // namespace floe::cli
