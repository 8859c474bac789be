#include "cli/decode/node_traffic.hpp"

#include <map>
#include <utility>

#include "cli/decode/tcp_stream.hpp"

namespace floe::cli {

std::expected<traffic_summary, std::string> record_node_traffic(byte_view pcap, std::uint16_t port,
                                                                recorder& out) {
  std::map<std::pair<std::string, std::string>, tcp_stream> streams;
  double now = 0;
  const auto seen = read_pcap(pcap, [&](const tcp_segment& s) {
    if (s.from_port != port && s.to_port != port) return;
    now = s.t;
    auto found = streams.find({s.from, s.to});
    if (found == streams.end()) {
      auto record = [&out, &now, channel = s.from + " -> " + s.to](byte_view packet) {
        out.packet(packet, {seen_direction::between_nodes, 0, channel, now});
      };
      found = streams.try_emplace({s.from, s.to}, std::move(record)).first;
    }
    if (s.syn)
      found->second.begin(s.sequence);
    else
      found->second.segment(s.sequence, s.data);
  });
  if (!seen) return std::unexpected(seen.error());
  traffic_summary sum{.file = *seen, .streams = streams.size()};
  for (auto& [ends, stream] : streams) {
    stream.end();
    sum.missing += stream.missing();
  }
  return sum;
}

}  // namespace floe::cli
