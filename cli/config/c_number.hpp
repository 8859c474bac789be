#pragma once
/// Numbers as C reads them, and with it CTDB in its settings, tunables and arguments: 16 is also 0x10 and 020.
#include <cstdint>
#include <optional>
#include <string_view>

namespace floe::cli {

/// The whole text; nothing if it is no number without sign, or too large.
std::optional<std::uint64_t> parse_c_number(std::string_view text);

}  // namespace floe::cli
