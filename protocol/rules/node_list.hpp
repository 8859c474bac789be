#pragma once
/// The list of nodes, line by line: whether two nodes have the same, and whether a node may go from
/// one list to another while it runs.
///
/// A line's place is the pnn. A deleted line keeps its place; it is the empty text here.
/// Source: Samba ctdb/tools/ctdb.c (check_all_node_files_are_identical, check_node_file_changes) and
/// ctdb/server/ctdb_recoverd.c. Differences: two nodes compare their lists when they connect, line by
/// line, and stay apart if they differ (CTDB compares the number of lines, and recovers for ever).
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/ids.hpp"

namespace floe {

/// Addresses in text form, as address_text writes them; empty: deleted.
using node_lines = std::vector<std::string>;

/// One line for people per difference, at most `most` of them: "line 2: here 10.0.0.2, there
/// 10.0.0.9". Empty: the lists are the same.
std::vector<std::string> differences(const node_lines& here, const node_lines& there,
                                     std::size_t most = 4);

/// What a node does to follow a new list.
struct node_list_change {
  std::vector<pnn> added;    ///< new lines, and deleted ones that have an address again
  std::vector<pnn> removed;  ///< lines that are now deleted
  bool empty() const { return added.empty() && removed.empty(); }
  bool operator==(const node_list_change&) const = default;
};

/// Error: one line that says why not. Lines may be appended, deleted, and, once deleted, used
/// again; nothing else. A node cannot delete itself.
std::expected<node_list_change, std::string> plan_reload(const node_lines& now,
                                                         const node_lines& wanted, pnn self);

}  // namespace floe
