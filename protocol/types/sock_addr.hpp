#pragma once
/// An IPv4 or IPv6 address with a port. On the wire always 28 bytes, for both families, as Linux
/// lays out a sockaddr: family in native order, port and address big endian, the rest of an IPv4
/// one old memory. Facts: Samba ctdb/protocol/protocol_sock.c, protocol_types.c
/// (ctdb_sock_addr_push).
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "protocol/bytes.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

struct sock_addr {
  static constexpr std::size_t wire_size = 28;
  static constexpr std::uint16_t ipv4 = 2;  ///< Linux's AF_INET
  static constexpr std::uint16_t ipv6 = 10;

  std::uint16_t family = 0;  ///< other values than the two (0 = unset) occur only in faulty data
  std::uint16_t port = 0;    ///< as a number
  std::uint32_t flowinfo = 0;
  std::array<std::uint8_t, 16> address{};  ///< IPv4: the first four
  std::uint32_t scope = 0;
  bool operator==(const sock_addr&) const = default;
};

/// Part of other types: its codec is in sock_addr.cpp.
extern template struct wire::codec<sock_addr>;

/// Family and address agree; ports may differ.
bool same_host(const sock_addr& a, const sock_addr& b);

/// "10.1.2.3", "fd00::1"; another family: its bytes as hex.
bytes address_text(const sock_addr& a);
/// "10.1.2.3:4379", "[fd00::1]:4379".
bytes address_port_text(const sock_addr& a);
/// Reads what address_text writes for the two families. `::ffff:192.0.2.1` becomes the IPv4 address that it is; numbers
/// with a leading zero are refused, because libc reads them as octal and people do not.
std::optional<sock_addr> parse_address(byte_view text, std::uint16_t port = 0);

}  // namespace floe
