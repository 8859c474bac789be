#pragma once
/// The members of the last vnn map, in a file that outlives the process (rule R16 of the model, tests/model/README.md).
///
/// With `quorum = majority` a part goes on only with nodes that have content, as long as a member of the last map is silent:
/// it may have what the others lost when they were started again (protocol/rules/quorum.hpp). A node that has just been
/// started has no map to tell who that is; so it begins with the one that it had. A map is in the file before it is in use:
/// whoever is a member of it can have been given something. Without a file nothing was ever here, and nobody is missing.
///
/// A line of text, `members 0 1 2`, in the state directory. Errors are for people. Not in CTDB.
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocol/ids.hpp"

namespace floe {

/// In the order of their pnns. Nothing: there is no file.
std::expected<std::optional<std::vector<pnn>>, std::string> read_last_map(
    const std::string& state_dir);
/// On disk when it returns; after an error the file is as it was.
std::expected<void, std::string> write_last_map(const std::string& state_dir,
                                                std::span<const pnn> members);
/// Each member once, in order.
std::vector<pnn> members_of(std::span<const pnn> slots);

}  // namespace floe
