#include "cli/decode/pcap_file.hpp"

#include <arpa/inet.h>

#include <array>
#include <cstring>
#include <optional>

namespace floe::cli {
namespace {

constexpr std::uint16_t ethertype_ipv4 = 0x0800;
constexpr std::uint16_t ethertype_ipv6 = 0x86DD;
constexpr std::uint8_t protocol_tcp = 6;

std::uint8_t u8(byte_view b, std::size_t at) { return static_cast<std::uint8_t>(b[at]); }
/// Network order.
std::uint16_t u16(byte_view b, std::size_t at) {
  return static_cast<std::uint16_t>(u8(b, at) << 8 | u8(b, at + 1));
}
std::uint32_t u32(byte_view b, std::size_t at) {
  return std::uint32_t{u16(b, at)} << 16 | u16(b, at + 2);
}

/// What the link layer carries, and where that begins.
struct network_packet {
  std::uint16_t ethertype;
  byte_view data;
};

std::optional<network_packet> by_version(byte_view ip) {
  if (ip.empty()) return std::nullopt;
  const int version = u8(ip, 0) >> 4;
  if (version == 4) return network_packet{ethertype_ipv4, ip};
  if (version == 6) return network_packet{ethertype_ipv6, ip};
  return std::nullopt;
}

std::optional<network_packet> behind_ethertype(byte_view frame, std::size_t at) {
  while (frame.size() >= at + 2) {
    const auto type = u16(frame, at);
    const bool vlan = type == 0x8100 || type == 0x88A8 || type == 0x9100;
    if (!vlan) return network_packet{type, frame.substr(at + 2)};
    at += 4;
  }
  return std::nullopt;
}

enum class link_type : std::uint32_t {
  null = 0,
  ethernet = 1,
  raw_bsd = 12,
  raw_openbsd = 14,
  raw = 101,
  loop = 108,
  linux_sll = 113,
  ipv4 = 228,
  ipv6 = 229,
  linux_sll2 = 276,
};

bool known(link_type link) {
  switch (link) {
    case link_type::null:
    case link_type::ethernet:
    case link_type::raw_bsd:
    case link_type::raw_openbsd:
    case link_type::raw:
    case link_type::loop:
    case link_type::linux_sll:
    case link_type::ipv4:
    case link_type::ipv6:
    case link_type::linux_sll2: return true;
  }
  return false;
}

std::optional<network_packet> without_link(link_type link, byte_view frame) {
  switch (link) {
    case link_type::null:
    case link_type::loop:  // an address family, whose numbers differ between systems
      return frame.size() < 4 ? std::nullopt : by_version(frame.substr(4));
    case link_type::ethernet: return behind_ethertype(frame, 12);
    case link_type::linux_sll: return behind_ethertype(frame, 14);
    case link_type::linux_sll2:
      if (frame.size() < 20) return std::nullopt;
      return network_packet{u16(frame, 0), frame.substr(20)};
    case link_type::raw_bsd:
    case link_type::raw_openbsd:
    case link_type::raw:
    case link_type::ipv4:
    case link_type::ipv6: return by_version(frame);
  }
  return std::nullopt;
}

std::string address_text(int family, byte_view octets) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family, octets.data(), text.data(), text.size());
  return family == AF_INET6 ? "[" + std::string(text.data()) + "]" : text.data();
}

class ip_reader {
 public:
  ip_reader(const std::function<void(const tcp_segment&)>& tell, pcap_summary& summary)
      : tell_(tell), summary_(summary) {}

  void packet(const network_packet& p, double t) {
    segment_.t = t;
    if (p.ethertype == ethertype_ipv4) ipv4(p.data);
    if (p.ethertype == ethertype_ipv6) ipv6(p.data);
  }

 private:
  void ipv4(byte_view ip) {
    if (ip.size() < 20) return;
    const std::size_t header = std::size_t{4} * (u8(ip, 0) & 15);
    const std::size_t total = u16(ip, 2);  // 0 where the network card was to cut the packet
    if (u8(ip, 9) != protocol_tcp || header < 20 || ip.size() < header) return;
    if ((u16(ip, 6) & 0x3FFF) != 0) {
      ++summary_.fragments;
      return;
    }
    if (total >= header) ip = ip.substr(0, total);
    tcp(AF_INET, ip.substr(12, 4), ip.substr(16, 4), ip.substr(header));
  }

  void ipv6(byte_view ip) {
    if (ip.size() < 40) return;
    const std::size_t length = u16(ip, 4);
    byte_view rest = ip.substr(40);
    if (length > 0) rest = rest.substr(0, length);
    auto next = u8(ip, 6);
    constexpr std::uint8_t hop_by_hop = 0, routing = 43, fragment = 44, options = 60;
    while (next == hop_by_hop || next == routing || next == options) {
      if (rest.size() < 8) return;
      const std::size_t size = 8 * (std::size_t{u8(rest, 1)} + 1);
      next = u8(rest, 0);
      if (rest.size() < size) return;
      rest.remove_prefix(size);
    }
    if (next == fragment) ++summary_.fragments;
    if (next == protocol_tcp) tcp(AF_INET6, ip.substr(8, 16), ip.substr(24, 16), rest);
  }

  void tcp(int family, byte_view from, byte_view to, byte_view segment) {
    if (segment.size() < 20) return;
    const std::size_t header = std::size_t{4} * (u8(segment, 12) >> 4);
    if (header < 20 || segment.size() < header) return;
    segment_.from_port = u16(segment, 0);
    segment_.to_port = u16(segment, 2);
    segment_.from = address_text(family, from) + ":" + std::to_string(segment_.from_port);
    segment_.to = address_text(family, to) + ":" + std::to_string(segment_.to_port);
    segment_.sequence = u32(segment, 4);
    segment_.syn = (u8(segment, 13) & 2) != 0;
    segment_.data = segment.substr(header);
    tell_(segment_);
  }

  const std::function<void(const tcp_segment&)>& tell_;
  pcap_summary& summary_;
  tcp_segment segment_;
};

}  // namespace

std::expected<pcap_summary, std::string> read_pcap(
    byte_view file, const std::function<void(const tcp_segment&)>& tell) {
  constexpr std::size_t file_header = 24;
  constexpr std::size_t frame_header = 16;
  if (file.size() < file_header) return std::unexpected("too short for a pcap file");
  const std::uint32_t magic = u32(file, 0);
  const bool micro = magic == 0xA1B2C3D4 || magic == 0xD4C3B2A1;
  const bool nano = magic == 0xA1B23C4D || magic == 0x4D3CB2A1;
  if (magic == 0x0A0D0D0A)
    return std::unexpected(
        "this is pcapng; `editcap -F pcap` or `tcpdump -r X -w Y` makes it pcap");
  if (!micro && !nano) return std::unexpected("this is no pcap file");
  const bool little = u8(file, 0) != 0xA1;
  const auto field = [&](std::size_t at) {
    const auto n = u32(file, at);
    return little ? __builtin_bswap32(n) : n;
  };
  const link_type link{field(20) & 0x0FFFFFFF};
  if (!known(link))
    return std::unexpected("link type " + std::to_string(static_cast<std::uint32_t>(link)) +
                           " is not known here");
  pcap_summary summary;
  ip_reader reader(tell, summary);
  std::optional<double> first;
  for (std::size_t at = file_header; at < file.size();) {
    if (file.size() - at < frame_header || file.size() - at - frame_header < field(at + 8)) {
      summary.cut_off = true;
      break;
    }
    const double t = field(at) + field(at + 4) / (nano ? 1e9 : 1e6);
    if (!first) first = t;
    ++summary.frames;
    if (const auto p = without_link(link, file.substr(at + frame_header, field(at + 8))))
      reader.packet(*p, t - *first);
    at += frame_header + field(at + 8);
  }
  return summary;
}

}  // namespace floe::cli
