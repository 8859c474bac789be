#include "cli/decode/hex.hpp"

#include "cli/hex_digit.hpp"

namespace floe::cli {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ':'; }

}  // namespace

std::expected<bytes, std::size_t> from_hex(byte_view text) {
  bytes out;
  out.reserve(text.size() / 2);
  std::size_t i = text.find_first_not_of(" \t\r\n");
  if (i == byte_view::npos) return out;
  if (text.substr(i).starts_with("0x")) i += 2;
  int upper = -1;
  for (; i < text.size(); ++i) {
    if (is_space(text[i])) continue;
    const int d = hex_digit(text[i]);
    if (d < 0) return std::unexpected(i);
    if (upper < 0) {
      upper = d;
    } else {
      out.push_back(static_cast<char>(upper * 16 + d));
      upper = -1;
    }
  }
  if (upper >= 0) return std::unexpected(text.size());
  return out;
}

}  // namespace floe::cli
