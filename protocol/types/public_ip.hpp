#pragma once
/// Public addresses and the interfaces that carry them.
/// Facts: Samba ctdb/protocol/protocol_types.c (ctdb_public_ip_push, ctdb_iface_push,
/// ctdb_addr_info_push).
#include <cstddef>
#include <cstdint>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"
#include "protocol/types/sock_addr.hpp"

namespace floe {

struct addr_info {
  static constexpr std::size_t wire_size_min = 36;
  sock_addr addr;
  std::uint32_t mask = 0;  ///< prefix bits; without meaning in SEND_GRATUITOUS_ARP
  byte_view iface;         ///< one name, or several joined with commas
  bool operator==(const addr_info&) const = default;
};

struct public_ip {
  static constexpr std::size_t wire_size = 32;
  floe::pnn pnn = floe::pnn::unknown;  ///< unknown: hosted nowhere
  sock_addr addr;
  bool operator==(const public_ip&) const = default;
};

struct public_ip_list {
  static constexpr std::size_t wire_size_min = 4;
  std::vector<public_ip> ips;
  bool operator==(const public_ip_list&) const = default;
};

struct iface {
  static constexpr std::size_t wire_size = 24;
  static constexpr std::size_t name_size_max = 15;  ///< of a real one; the field would hold 17
  byte_view name;
  std::uint16_t link_state = 0;  ///< 0 down, 1 up
  std::uint32_t references = 0;  ///< addresses on it; 0 in a request
  bool operator==(const iface&) const = default;
};

struct iface_list {
  static constexpr std::size_t wire_size_min = 4;
  std::vector<iface> ifaces;
  bool operator==(const iface_list&) const = default;
};

struct public_ip_info {
  static constexpr std::size_t wire_size_min = 40;
  static constexpr std::uint32_t no_iface = 0xFFFFFFFF;
  public_ip ip;
  std::uint32_t active_idx = no_iface;  ///< of the interface in use
  iface_list ifaces;
  bool operator==(const public_ip_info&) const = default;
};

}  // namespace floe
