#include "cli/config/c_number.hpp"

#include <charconv>

namespace floe::cli {

std::optional<std::uint64_t> parse_c_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
    text.remove_prefix(1);
  }
  std::uint64_t n = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), n, base);
  if (text.empty() || wrong != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

}  // namespace floe::cli
