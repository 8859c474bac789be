#include "cli/keys.hpp"

#include "cli/hex_digit.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/wire/codec.hpp"
#include "protocol/wire/json.hpp"

namespace floe::cli {
namespace {

/// Printable and valid UTF-8 (overlong forms and surrogates are not looked for: they come back as
/// they are).
bool is_text(byte_view v) {
  std::size_t follow = 0;
  for (const char c : v) {
    const auto u = static_cast<unsigned char>(c);
    if (follow > 0) {
      if ((u & 0xC0) != 0x80) return false;
      --follow;
    } else if (u < 0x20 || u == 0x7F) {
      return false;
    } else if (u >= 0x80) {
      if (u >= 0xC2 && u < 0xE0)
        follow = 1;
      else if (u >= 0xE0 && u < 0xF0)
        follow = 2;
      else if (u >= 0xF0 && u < 0xF5)
        follow = 3;
      else
        return false;
    }
  }
  return follow == 0;
}

}  // namespace

std::expected<bytes, std::string> parse_octets(std::string_view text) {
  if (!text.starts_with("0x")) return bytes(text);
  const auto hex = text.substr(2);
  if (hex.size() % 2 != 0)
    return std::unexpected("an odd number of hex digits in " + std::string(text));
  bytes out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_digit(hex[i]), low = hex_digit(hex[i + 1]);
    if (high < 0 || low < 0) return std::unexpected("not hex digits: " + std::string(text));
    out.push_back(static_cast<char>(high * 16 + low));
  }
  return out;
}

std::string show_octets(byte_view v) {
  if (is_text(v) && !v.starts_with("0x")) return std::string(v);
  return "0x" + wire::to_hex(v);
}

bool is_sequence_number(byte_view key) { return key == sequence_number_key; }

std::string show_key(byte_view key) {
  return is_sequence_number(key) ? "(sequence number)" : show_octets(key);
}

std::string show_value(byte_view key, byte_view data) {
  if (is_sequence_number(key))
    if (const auto n = wire::decode<std::uint64_t>(data)) return std::to_string(*n);
  return show_octets(data);
}

}  // namespace floe::cli
