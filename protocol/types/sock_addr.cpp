#include "protocol/types/sock_addr.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "protocol/wire/json.hpp"
#include "protocol/wire/layout.hpp"

namespace floe {

namespace wire {

/// 28 bytes whose meaning depends on the family.
struct sock_addr_row {
  static constexpr std::size_t min_size = sock_addr::wire_size;
  static constexpr bool fixed = true;
  static constexpr bool takes_rest = false;

  static std::uint16_t swap(std::uint16_t n) {  // the port is big endian wherever we are
    const auto hi = static_cast<std::uint8_t>(n >> 8);
    const auto lo = static_cast<std::uint8_t>(n);
    const std::array<std::uint8_t, 2> octets{hi, lo};
    std::uint16_t out = 0;
    std::memcpy(&out, octets.data(), sizeof out);
    return out;
  }

  void put(writer& w, const sock_addr& a) const {
    const byte_view address(reinterpret_cast<const char*>(a.address.data()), a.address.size());
    w.number(a.family);
    w.number(swap(a.port));
    if (a.family == sock_addr::ipv4) {
      w.raw(address.substr(0, 4));
      w.zeros(20);
    } else {
      w.number(a.flowinfo);
      w.raw(address);
      w.number(a.scope);
    }
  }
  void get(reader& r, sock_addr& a) const {
    a.family = r.number<std::uint16_t>("family");
    a.port = swap(r.number<std::uint16_t>("port"));
    a.address.fill(0);
    if (a.family == sock_addr::ipv4) {
      copy(r.take("address", 4), a);
      r.skip("padding", 20);
    } else {
      a.flowinfo = r.number<std::uint32_t>("flowinfo");
      copy(r.take("address", 16), a);
      a.scope = r.number<std::uint32_t>("scope");
    }
  }
  static void copy(byte_view from, sock_addr& a) {
    if (!from.empty()) std::memcpy(a.address.data(), from.data(), from.size());
  }
  void show(sink& s, const sock_addr& a) const {
    const bytes text = address_text(a);
    s.show("family", scalar::number(a.family), 2);
    s.show("port", scalar::number(a.port), 2);
    if (a.family == sock_addr::ipv4) {
      s.show("address", scalar::string(text), 4);
      s.pad(20);
    } else {
      s.show("flowinfo", scalar::number(a.flowinfo), 4);
      s.show("address", scalar::string(text), 16);
      s.show("scope", scalar::number(a.scope), 4);
    }
  }
  void make(generator& g, sock_addr& a) const {
    const std::size_t kind = g.below(8);
    a.family = kind < 4 ? sock_addr::ipv4 : kind < 7 ? sock_addr::ipv6 : 0;
    a.port = static_cast<std::uint16_t>(g.number(2));
    const std::size_t used = a.family == sock_addr::ipv4 ? 4 : 16;
    for (std::size_t i = 0; i < used; ++i) a.address[i] = static_cast<std::uint8_t>(g.number(1));
    if (a.family == sock_addr::ipv4) return;
    a.flowinfo = static_cast<std::uint32_t>(g.number(4));
    a.scope = static_cast<std::uint32_t>(g.number(4));
  }
  std::size_t size(const sock_addr&) const { return min_size; }
};

}  // namespace wire

constexpr auto layout(wire::of<sock_addr>) {
  return wire::record("sock_addr", wire::sock_addr_row{});
}
template struct wire::codec<sock_addr>;

namespace {

using groups = std::array<std::uint16_t, 8>;

groups groups_of(const sock_addr& a) {
  groups g{};
  for (std::size_t i = 0; i < 8; ++i) {
    g[i] = static_cast<std::uint16_t>(a.address[2 * i] << 8 | a.address[2 * i + 1]);
  }
  return g;
}

bytes dotted(const std::uint8_t* octets) {
  bytes out;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) out.push_back('.');
    out.append(std::to_string(octets[i]));
  }
  return out;
}

bytes hex_group(std::uint16_t g) {
  std::array<char, 4> digits{};
  return bytes(digits.data(), std::to_chars(digits.data(), digits.data() + 4, g, 16).ptr);
}

/// The longest run of two or more zero groups, the first of equals: what "::" stands for (RFC
/// 5952).
std::pair<std::size_t, std::size_t> longest_zeros(const groups& g) {
  std::size_t best = 0;
  std::size_t best_size = 0;
  for (std::size_t i = 0; i < 8;) {
    std::size_t n = 0;
    while (i + n < 8 && g[i + n] == 0) ++n;
    if (n > best_size && n >= 2) {
      best = i;
      best_size = n;
    }
    i += n + 1;
  }
  return {best, best_size};
}

bytes ipv6_text(const sock_addr& a) {
  const groups g = groups_of(a);
  const auto [zeros, zeros_size] = longest_zeros(g);
  const bool mapped = zeros == 0 && zeros_size == 5 && g[5] == 0xffff;
  if (mapped) return "::ffff:" + dotted(a.address.data() + 12);
  bytes out;
  for (std::size_t i = 0; i < 8; ++i) {
    if (zeros_size > 0 && i == zeros) {
      out.append("::");
      i += zeros_size - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out.push_back(':');
    out.append(hex_group(g[i]));
  }
  return out;
}

/// A whole number of this base and at most this many digits.
std::optional<unsigned> number_in(byte_view text, int base, std::size_t max_digits) {
  if (text.empty() || text.size() > max_digits) return std::nullopt;
  unsigned n = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), n, base);
  if (wrong != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

bool parse_ipv4(byte_view text, std::uint8_t* out) {
  for (int i = 0; i < 4; ++i) {
    const auto dot = text.find('.');
    if ((i < 3) != (dot != byte_view::npos)) return false;
    const auto part = text.substr(0, dot);
    // libc reads 010 as eight, people as ten: nobody is to guess
    if (part.size() > 1 && part.front() == '0') return false;
    const auto n = number_in(part, 10, 3);
    if (!n || *n > 255) return false;
    out[i] = static_cast<std::uint8_t>(*n);
    if (i < 3) text.remove_prefix(dot + 1);
  }
  return true;
}

/// Groups between colons, the last perhaps in dotted form; how many octets they fill, nothing if
/// they are wrong.
std::optional<std::size_t> parse_groups(byte_view text, std::array<std::uint8_t, 16>& out) {
  std::size_t filled = 0;
  while (!text.empty()) {
    const auto colon = text.find(':');
    const byte_view group = text.substr(0, colon);
    if (colon == byte_view::npos && group.find('.') != byte_view::npos) {
      if (filled + 4 > 16 || !parse_ipv4(group, out.data() + filled)) return std::nullopt;
      return filled + 4;
    }
    const auto n = number_in(group, 16, 4);
    if (!n || filled + 2 > 16) return std::nullopt;
    out[filled] = static_cast<std::uint8_t>(*n >> 8);
    out[filled + 1] = static_cast<std::uint8_t>(*n);
    filled += 2;
    if (colon == byte_view::npos) break;
    text.remove_prefix(colon + 1);
    if (text.empty()) return std::nullopt;  // a single colon at the end
  }
  return filled;
}

bool parse_ipv6(byte_view text, std::array<std::uint8_t, 16>& out) {
  const auto gap = text.find("::");
  if (gap == byte_view::npos) return parse_groups(text, out) == std::size_t{16};
  std::array<std::uint8_t, 16> tail{};
  const auto before = parse_groups(text.substr(0, gap), out);
  const auto after = parse_groups(text.substr(gap + 2), tail);
  if (!before || !after || *before + *after > 14) return false;
  std::copy_n(tail.begin(), *after, out.end() - static_cast<std::ptrdiff_t>(*after));
  return true;
}

/// ::ffff:192.0.2.1 is 192.0.2.1, the same host under another spelling.
void unmap(sock_addr& a) {
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (!std::equal(mapped.begin(), mapped.end(), a.address.begin())) return;
  const std::array<std::uint8_t, 4> v4{a.address[12], a.address[13], a.address[14], a.address[15]};
  a.family = sock_addr::ipv4;
  a.address = {};
  std::ranges::copy(v4, a.address.begin());
}

}  // namespace

bool same_host(const sock_addr& a, const sock_addr& b) {
  return a.family == b.family && a.address == b.address && a.scope == b.scope;
}

bytes address_text(const sock_addr& a) {
  if (a.family == sock_addr::ipv4) return dotted(a.address.data());
  if (a.family == sock_addr::ipv6) return ipv6_text(a);
  return wire::to_hex(byte_view(reinterpret_cast<const char*>(a.address.data()), a.address.size()));
}

bytes address_port_text(const sock_addr& a) {
  const bytes port = ":" + std::to_string(a.port);
  return a.family == sock_addr::ipv6 ? "[" + address_text(a) + "]" + port : address_text(a) + port;
}

std::optional<sock_addr> parse_address(byte_view text, std::uint16_t port) {
  sock_addr a;
  a.port = port;
  a.family = text.find(':') == byte_view::npos ? sock_addr::ipv4 : sock_addr::ipv6;
  const bool good = a.family == sock_addr::ipv4 ? parse_ipv4(text, a.address.data())
                                                : parse_ipv6(text, a.address);
  if (!good) return std::nullopt;
  if (a.family == sock_addr::ipv6) unmap(a);
  return a;
}

}  // namespace floe
