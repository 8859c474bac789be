#pragma once
/// Keys and values on the command line and in output: text, or octets as "0x" and hex digits. What
/// is printed can be given back: text that begins with 0x, or is not printable ASCII or UTF-8, is
/// printed as hex.
#include <expected>
#include <string>
#include <string_view>

#include "protocol/bytes.hpp"

namespace floe::cli {

/// The error says what is wrong.
std::expected<bytes, std::string> parse_octets(std::string_view text);
std::string show_octets(byte_view);

}  // namespace floe::cli
