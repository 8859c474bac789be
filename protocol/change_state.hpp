#pragma once
/// What a node can tell of the changes of a database since its content was last equal on all nodes.
#include <cstdint>
#include <string_view>

namespace floe {

enum class change_state : std::uint8_t {
  none,  ///< the content is not known to be equal to anybody's: a new file, a content replaced by
         ///< a tool, a recovery by CTDB's controls
  complete,  ///< every changed key is noted
  overflow,  ///< more than are noted
  /// The node does not count: it was filled with the content of a generation, but for keys that were changed (rules/joining.hpp).
  filled,
};

constexpr std::string_view name(change_state s) {
  switch (s) {
    case change_state::none: return "none";
    case change_state::complete: return "complete";
    case change_state::overflow: return "overflow";
    case change_state::filled: return "filled";
  }
  return "?";
}

}  // namespace floe
