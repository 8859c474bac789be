#pragma once
/// Nodes files that are not what their cluster runs with: nothing is wrong yet, but a node that is started anew would be kept out.
#include "cli/troubles.hpp"

namespace floe::cli {

/// Asks these nodes for their files as they are on disk, all at once.
std::vector<known_trouble> nodes_file_troubles(blocking_client&, const node_map& running,
                                               const std::vector<pnn>& nodes, pnn told_by,
                                               duration patience);

}  // namespace floe::cli
