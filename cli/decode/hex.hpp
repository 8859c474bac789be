#pragma once
/// Hex digits as people paste them.
#include <expected>

#include "protocol/bytes.hpp"

namespace floe::cli {

/// Octets of a text of hex digits. Blanks, line ends and colons between digits do not count, nor
/// does 0x at the front. On failure the position of the first character that is wrong (its end, if
/// one digit is missing).
std::expected<bytes, std::size_t> from_hex(byte_view text);

}  // namespace floe::cli
