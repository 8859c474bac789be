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
  std::string kind, text;
  std::string
      says{};  ///< `text` behind the node or database that it begins with; empty: it begins with none
  std::string next{}, db{};
  std::optional<pnn> node;
  std::optional<std::int64_t> age_ms;
  bool ill = true;
  pnn told_by{0};
  bool follows = false;  ///< what else is wrong may be its cause
};

/// What GET_NODE_STATUS says, by node; a ctdbd has none.
using node_reports = std::map<pnn, std::string>;

/// Asks all of them at once; who does not answer in time, or is a ctdbd, is not among them.
node_reports ask_reports(blocking_client&, const std::vector<pnn>& nodes, duration patience);
/// Nodes that can be asked: connected and not deleted.
std::vector<pnn> reachable(const node_map&);

/// The worst first, in the order of `first`'s report; what may only follow from another stands last. `more`: what no
/// report says.
std::vector<known_trouble> troubles_in(const node_reports&, pnn first,
                                       std::vector<known_trouble> more = {});
/// For people: what several nodes say of one cause, or one node of several databases, in one sentence.
std::vector<known_trouble> in_fewer_words(std::vector<known_trouble>);
/// Why the node is not OK; empty if nobody says so. What is said of databases is left out where it has a line of its own.
enum class reasons : std::uint8_t { all, without_databases };
std::string reason_of(const std::vector<known_trouble>&, pnn node, reasons = reasons::all);
/// "nobody leads the cluster: ..., for 12.0 s".
std::string with_age(const known_trouble&);
/// The first that keeps a report's cluster from working; what is wrong with another node only comes after what is wrong with this
/// one or with all.
std::optional<known_trouble> first_ill(const std::string& report);
/// In words, with its age; empty: none.
std::string first_illness(const std::string& report);

/// As a member of a list.
void put_trouble(wire::json_writer&, const known_trouble&);

}  // namespace floe::cli
