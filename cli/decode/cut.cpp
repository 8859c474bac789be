#include "cli/decode/cut.hpp"

#include <cstdint>
#include <cstring>

#include "protocol/packet.hpp"

namespace floe::cli {
namespace {

std::uint32_t number_at(byte_view b, std::size_t offset) {
  std::uint32_t n = 0;
  if (offset + sizeof n <= b.size()) std::memcpy(&n, b.data() + offset, sizeof n);
  return n;
}

}  // namespace

bool looks_like_packet(byte_view at) {
  return at.size() >= 12 && number_at(at, 4) == packet_magic &&
         number_at(at, 8) == protocol_version;
}

std::vector<byte_view> cut_packets(byte_view stream) {
  std::vector<byte_view> out;
  while (!stream.empty()) {
    const std::size_t length = number_at(stream, 0);
    std::size_t size = stream.size();
    if (length >= header_size && length < stream.size() &&
        (looks_like_packet(stream) || looks_like_packet(stream.substr(length)))) {
      // a last packet of which only the beginning is there is cut off as well
      const byte_view next = stream.substr(length);
      if (looks_like_packet(next) || (next.size() < 12 && looks_like_packet(stream))) size = length;
    }
    out.push_back(stream.substr(0, size));
    stream.remove_prefix(size);
  }
  return out;
}

}  // namespace floe::cli
