#pragma once
/// What must, or should, be equal on all nodes of a cluster, and is not: the files of this node beside what another node says of
/// itself. The files are compared, not what this node runs with: they count at its next start.
#include <string>
#include <vector>

#include "actors/client/blocking_client.hpp"
#include "cli/config/node_files.hpp"

namespace floe::cli {

/// One line each, with the other node's number.
struct differences {
  std::vector<std::string> errors;    ///< the cluster would not work, or not safely
  std::vector<std::string> warnings;  ///< it works; one of the two may be a mistake
};

/// Asks through a node of this machine. What the other node does not tell is an error, too; what a ctdbd does not have is
/// not compared.
void compare_with(blocking_client&, pnn other, const node_setup& ours, duration patience,
                  differences&);

}  // namespace floe::cli
