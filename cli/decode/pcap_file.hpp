#pragma once
/// TCP segments out of a pcap file: the classic format, either byte order, micro- or nanoseconds;
/// Ethernet with or without VLAN tags, Linux "cooked" (both versions), loopback and raw IP. Facts:
/// pcap-savefile(5), the list of link types of tcpdump.org, RFC 791, 8200 and 9293.
#include <cstdint>
#include <expected>
#include <functional>
#include <string>

#include "protocol/bytes.hpp"

namespace floe::cli {

struct tcp_segment {
  double t = 0;          ///< seconds since the first frame
  std::string from, to;  ///< "10.0.0.1:4379", "[fe80::1]:4379"
  std::uint16_t from_port = 0, to_port = 0;
  std::uint32_t sequence = 0;
  bool syn = false;
  byte_view data;  ///< into the file
};

struct pcap_summary {
  std::size_t frames = 0;
  std::size_t fragments = 0;  ///< of IP packets; they are skipped
  bool cut_off = false;       ///< the file ends in the middle of a frame
};

/// Calls the function for each TCP segment, in the order of the file. An error text if it is no
/// such file.
std::expected<pcap_summary, std::string> read_pcap(byte_view file,
                                                   const std::function<void(const tcp_segment&)>&);

}  // namespace floe::cli
