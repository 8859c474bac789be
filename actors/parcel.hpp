#pragma once
/// A packet that has been read, as actors hand it to each other.
#include <memory>

#include "actors/client_usage.hpp"
#include "protocol/packet.hpp"

namespace floe {

/// A packet and the bytes it was read from; the packet's views point into `raw`.
struct parcel {
  frame raw;
  packet content;
  usage_share charge = {};  ///< of the client that sent it
};
using parcel_ptr = std::shared_ptr<const parcel>;

/// Encodes a packet into a frame that links and sessions send as it is.
inline frame make_frame(const packet_header& header, const packet_body& body) {
  return std::make_shared<const bytes>(encode_packet(header, body));
}

}  // namespace floe
