#include "cli/config/c_number.hpp"

#include <charconv>

#include "cli/hex_digit.hpp"

namespace floe::cli {
namespace {

/// 0x without a digit behind it is the number 0 and an x that does not belong to it.
bool begins_in_hex(std::string_view s) {
  return s.size() > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && hex_digit(s[2]) >= 0;
}

}  // namespace

std::optional<leading_number> read_leading_number(std::string_view text, int base) {
  auto digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  if (base == 0 && begins_in_hex(digits)) {
    digits.remove_prefix(2);
    base = 16;
  } else if (base == 0) {
    base = digits.starts_with('0') ? 8 : 10;
  }
  std::uint64_t n = 0;
  const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), n, base);
  if (wrong != std::errc()) return std::nullopt;
  return leading_number{.value = n, .length = static_cast<std::size_t>(end - text.data())};
}

std::optional<std::uint64_t> parse_c_number(std::string_view text) {
  const auto n = read_leading_number(text);
  if (!n || n->length != text.size()) return std::nullopt;
  return n->value;
}

}  // namespace floe::cli
