#pragma once
/// Numbers the lives of a node: how often its process has been started. A leader puts the number into the name of each
/// generation (next_generation in protocol/rules/lineage.hpp), so that a life does not name one as the life before did.
#include <cstdint>
#include <string>

namespace floe {

struct node_life {
  std::uint32_t number = 0;
  std::string error;  ///< why it is not known to be a new one; empty: it is
};

/// Reads the number of the last life from the file `life` of this directory, and leaves that of a new one there. `otherwise`
/// is the number where there is none: any number, another one at another time.
node_life begin_life(const std::string& state_dir, std::uint32_t otherwise);

}  // namespace floe
