#pragma once
/// Numbers as C reads them, and with it CTDB in its settings, tunables and arguments: 16 is also 0x10, 020 and +16.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace floe::cli {

struct leading_number {
  std::uint64_t value = 0;
  std::size_t length = 0;  ///< how much of the text it is, from the beginning
};

/// What strtoul finds at the beginning of the text; base 0: the digits say it by 0x or 0. Nothing if it does not begin with
/// a number, if that has a minus, or is too large.
std::optional<leading_number> read_leading_number(std::string_view text, int base = 0);

/// The whole text; nothing if it is no number, has a minus, or is too large.
std::optional<std::uint64_t> parse_c_number(std::string_view text);

}  // namespace floe::cli
