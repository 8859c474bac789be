#include "actors/hex.hpp"

#include <algorithm>

namespace floe {
/// Of a long one the beginning, and how many bytes follow: a line of the log, or an event that is kept, takes no megabytes.
std::string to_hex(byte_view b) {
  constexpr std::size_t most = 256;
  static constexpr char digits[] = "0123456789abcdef";
  std::string s;
  s.reserve(std::min(b.size(), most) * 2);
  for (char c : b.substr(0, most)) {
    const auto u = static_cast<unsigned char>(c);
    s += digits[u >> 4];
    s += digits[u & 15];
  }
  if (b.size() > most) s += "+" + std::to_string(b.size() - most);
  return s;
}
}  // namespace floe
