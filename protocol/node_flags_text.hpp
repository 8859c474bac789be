#pragma once
/// Flags of a node, read back from what `node_flags_text` (constants.hpp) has made of them in an event.
#include <cstdint>

#include "protocol/bytes.hpp"

namespace floe {

/// Without bits that have no name, and words that name none: "OK".
std::uint32_t node_flags_in(byte_view text);

}  // namespace floe
