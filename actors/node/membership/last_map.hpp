#pragma once
/// What a node remembers of its last vnn map when its process has ended, in a file.
///
/// *The members* (rule R16 of the model, tests/model/README.md). With `quorum = majority` a part goes on only with nodes that
/// have content, as long as a member of the last map is silent: it may have what the others lost when they were started again
/// (protocol/rules/quorum.hpp). A node that has just been started has no map to tell who that is; so it begins with the one that
/// it had. Without a file nothing was ever here, and nobody is missing.
///
/// *How far generations were counted*. Where one part goes on at a time (a cluster lock, a majority) what that part makes
/// counts before all that was made earlier, and what is later is told by the number (protocol/rules/lineage.hpp). Nodes that
/// were all started again would begin to count anew, and lose what they acknowledge to one that was away and counted further.
/// Numbers are reserved, so that a recovery seldom waits for the disk.
///
/// A map is in the file before it is in use: whoever is a member of it can have been given something.
///
/// Lines of text in the state directory, `members 0 1 2` and `latest 2147750912`. Errors are for people. Not in CTDB.
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocol/ids.hpp"
#include "protocol/rules/quorum.hpp"

namespace floe {

struct last_map {
  std::vector<pnn> members{};  ///< in order
  /// No generation of this node was later; invalid: none was floe's.
  generation latest = generation::invalid;
  bool operator==(const last_map&) const = default;
};

/// Nothing: there is no file.
std::expected<std::optional<last_map>, std::string> read_last_map(const std::string& state_dir);
/// On disk when it returns; after an error the file is as it was.
std::expected<void, std::string> write_last_map(const std::string& state_dir, const last_map&);
/// What is to be in the file before a map is used, if it is not there yet.
std::optional<last_map> to_be_kept(const last_map& now, generation, std::span<const pnn> slots);
/// Whether a node with these settings keeps its last map.
bool keeps_last_map(quorum_rule, const std::string& cluster_lock);
/// Each member once, in order: of the map, and those that take part beside it.
std::vector<pnn> members_of(std::span<const pnn> slots, std::span<const pnn> beside = {});

}  // namespace floe
