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

/// The record in which CTDB counts the transactions of a database: no user has put it there, nobody counts it as data.
bool is_sequence_number(byte_view key);
/// For tables, where keys and values need not be given back: that record by its name and as a number.
std::string show_key(byte_view key);
std::string show_value(byte_view key, byte_view data);

}  // namespace floe::cli
