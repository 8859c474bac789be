#pragma once
/// Packets that stand behind each other in a piece of memory, for looking at. Unlike the framer of
/// a connection this never gives up: what is broken is handed out too, so that it can be explained.
#include <vector>

#include "protocol/bytes.hpp"

namespace floe::cli {

/// Whether a packet's magic and version stand where they should.
bool looks_like_packet(byte_view at);

/// Views into `stream` that cover it. Cuts where a length field says so and something that looks
/// like a packet (or the end) follows; a length field that leads elsewhere is taken for the fault
/// of one broken packet.
std::vector<byte_view> cut_packets(byte_view stream);

}  // namespace floe::cli
