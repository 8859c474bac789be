#include "protocol/wire/visible.hpp"

#include <algorithm>

#include "protocol/wire/json.hpp"

namespace floe::wire {
namespace {

unsigned char byte_at(byte_view s, std::size_t i) { return static_cast<unsigned char>(s[i]); }

/// Of a sequence of two or three octets; what is longer controls nothing that we know.
unsigned code_point(byte_view s, std::size_t length) {
  if (length == 2) return (byte_at(s, 0) & 0x1fu) << 6 | (byte_at(s, 1) & 0x3fu);
  return (byte_at(s, 0) & 0x0fu) << 12 | (byte_at(s, 1) & 0x3fu) << 6 | (byte_at(s, 2) & 0x3fu);
}

/// Appends the first character of a text, or what is shown for it; says how many octets it has.
std::size_t append_visible(bytes& out, byte_view text) {
  const std::size_t n = utf8_length(text);
  if (n != 0 && !acts(text, n)) {
    out.append(text.substr(0, n));
  } else if (n < 2) {
    out.append("\\x").append(to_hex(text.substr(0, 1)));
  } else {
    const unsigned c = code_point(text, n);
    const char octets[] = {static_cast<char>(c >> 8), static_cast<char>(c & 0xff)};
    out.append("\\u").append(to_hex(byte_view(octets, sizeof octets)));
  }
  return std::max<std::size_t>(n, 1);
}

/// Octets of the change of colour that the text begins with, 0 if it begins with none.
std::size_t colour_length(byte_view text) {
  if (!text.starts_with("\033[")) return 0;
  const auto end = text.find_first_not_of("0123456789;", 2);
  return end != byte_view::npos && text[end] == 'm' ? end + 1 : 0;
}

}  // namespace

std::size_t utf8_length(byte_view s) {
  const unsigned char c = byte_at(s, 0);
  if (c < 0x80) return 1;
  const std::size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
  if (c < 0xc2 || c > 0xf4 || s.size() < n) return 0;
  for (std::size_t i = 1; i < n; ++i) {
    if ((byte_at(s, i) & 0xc0) != 0x80) return 0;
  }
  const unsigned char d = byte_at(s, 1);
  // overlong forms, surrogates, and what lies beyond U+10FFFF
  if ((c == 0xe0 && d < 0xa0) || (c == 0xed && d > 0x9f)) return 0;
  if ((c == 0xf0 && d < 0x90) || (c == 0xf4 && d > 0x8f)) return 0;
  return n;
}

bool acts(byte_view s, std::size_t length) {
  if (length == 1) return byte_at(s, 0) < 0x20 || byte_at(s, 0) == 0x7f;
  if (length > 3) return false;
  const unsigned c = code_point(s, length);
  return (c >= 0x80 && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

bytes visible(byte_view text) {
  bytes out;
  out.reserve(text.size());
  while (!text.empty()) text.remove_prefix(append_visible(out, text));
  return out;
}

bytes visible_lines(byte_view text, bool colours) {
  bytes out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto colour = colours ? colour_length(text) : 0;
    const auto kept = text[0] == '\n' || text[0] == '\t' ? 1 : colour;
    out.append(text.substr(0, kept));
    text.remove_prefix(kept != 0 ? kept : append_visible(out, text));
  }
  return out;
}

}  // namespace floe::wire
