#pragma once
/// Nodes of a local cluster that an operator has deleted (a "#" before its line in the nodes files, then reloadnodes): their
/// numbers stay taken, and they are neither started nor waited for.
#include <cstdint>

#include "cli/cluster/layout.hpp"

namespace floe::cli {

/// By the node's own nodes file.
bool is_deleted(const local_cluster&, std::uint32_t node);

}  // namespace floe::cli
