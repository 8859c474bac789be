#pragma once
/// Samba's daemon as a node of a drill: Debian's package `ctdb`, in a directory laid out as ctdbd has
/// it under CTDB_TEST_MODE (ctdb/common/path.c). No public addresses, no event scripts.
#include <optional>
#include <string>
#include <vector>

#include "cli/cluster/layout.hpp"
#include "cli/drill/testbed/real/processes.hpp"

namespace floe::cli::drill {

/// Where it is installed.
std::optional<std::string> find_ctdbd();
/// Writes the files of the node. Settings that only floe knows are left out.
std::expected<void, std::string> prepare_ctdbd(
    const local_cluster&, std::uint32_t node,
    const std::vector<std::pair<std::string, std::uint32_t>>& tunables);
program ctdbd_program(const local_cluster&, std::uint32_t node);

}  // namespace floe::cli::drill
