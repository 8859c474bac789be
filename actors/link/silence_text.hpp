#pragma once
/// A node's silence in words: as the log has it when a link gives the node up, and as reports go on counting it.
#include <fmt/format.h>

#include <string>

#include "protocol/rules/elapsed.hpp"

namespace floe {

inline std::string silence_text(duration silent) {
  return fmt::format("no sign of life for {:.1f} s", in_seconds(silent));
}

}  // namespace floe
