#pragma once
/// Packets between nodes, out of a pcap file.
#include <expected>
#include <string>

#include "cli/decode/packet_recorder.hpp"
#include "cli/decode/pcap_file.hpp"

namespace floe::cli {

struct traffic_summary {
  pcap_summary file;
  std::size_t streams = 0;    ///< directions of connections at the port
  std::uint64_t missing = 0;  ///< bytes that the file does not have
};

std::expected<traffic_summary, std::string> record_node_traffic(byte_view pcap, std::uint16_t port,
                                                                recorder&);

}  // namespace floe::cli
