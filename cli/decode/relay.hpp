#pragma once
/// Sits between clients and a daemon's Unix socket: passes bytes on as they are, both ways, for any
/// number of clients, and shows each packet to a recorder. The daemon sees this program as the peer
/// of every connection.
#include <expected>
#include <string>

#include "cli/decode/packet_recorder.hpp"

namespace floe::cli {

/// Until SIGINT or SIGTERM; the number of clients there were, or an error text. The socket is made
/// and removed again.
std::expected<std::size_t, std::string> relay(const std::string& listen_path,
                                              const std::string& daemon_path, recorder&);

}  // namespace floe::cli
