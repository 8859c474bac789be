#pragma once
/// The input of `ptrans`, as CTDB's tool has it (Samba ctdb/tools/ctdb.c, ptrans_parse_string): a
/// key and a value per line, each in double quotes, blanks between them; "0x..." in quotes is
/// octets; an empty value deletes. Empty lines, and lines with a key alone, say nothing.
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/bytes.hpp"

namespace floe::cli {

struct key_and_value {
  bytes key, value;
  bool operator==(const key_and_value&) const = default;
};

/// The error names the line.
std::expected<std::vector<key_and_value>, std::string> parse_transaction(std::string_view text);

}  // namespace floe::cli
