#include "cli/decode/stream_packets.hpp"

#include <utility>

#include <algorithm>
#include <cstring>
#include <utility>

#include "cli/decode/cut.hpp"

namespace floe::cli {
namespace {

/// Passes everything that has a length.
framer tolerant() {
  return framer({.max_packet = std::size_t{1} << 30, .min_length = 4, .check_magic = false});
}

constexpr std::size_t recognised = 12;  ///< bytes by which a packet is told

}  // namespace

stream_packets::stream_packets(bool from_start, function packet)
    : packet_(std::move(packet)), framer_(tolerant()), in_step_(from_start) {}

void stream_packets::gap() {
  framer_ = tolerant();
  in_step_ = lost_ = false;
  searched_.clear();
}

void stream_packets::feed(byte_view piece) {
  if (lost_) return;
  if (in_step_) return cut(piece);
  searched_.append(piece);
  for (std::size_t i = 0; i + recognised <= searched_.size(); ++i) {
    if (!looks_like_packet(byte_view(searched_).substr(i))) continue;
    in_step_ = true;
    const bytes from_here = std::exchange(searched_, {}).substr(i);
    return cut(from_here);
  }
  searched_.erase(0, searched_.size() - std::min(searched_.size(), recognised - 1));
}

void stream_packets::cut(byte_view piece) {
  while (!piece.empty()) {
    const auto room = framer_.prepare();
    const auto n = std::min(room.size(), piece.size());
    std::copy_n(piece.begin(), n, room.begin());
    framer_.commit(n);
    piece.remove_prefix(n);
    for (;;) {
      const auto next = framer_.next();
      if (!next) {
        // the length is all that can be shown
        const std::uint32_t length = next.error().value;
        packet_(bytes(reinterpret_cast<const char*>(&length), sizeof length));
        lost_ = true;
        return;
      }
      if (!*next) break;
      packet_(***next);
    }
  }
}

}  // namespace floe::cli
