#pragma once
/// Where a node's metrics are served: a loopback address with a port, or a Unix socket. They say much of a node and ask
/// nobody for a password, so that no other address is accepted.
///
///     127.0.0.1:9437    [::1]:9437    unix:/run/ctdb/metrics.socket    (port 0: any that is free)
#include <cstdint>
#include <expected>
#include <string>

namespace floe::cli {

struct listen_place {
  std::string path{};  ///< of a Unix socket; empty: an address
  std::string address{};
  std::uint16_t port = 0;
};

/// Error: what the place must be.
std::expected<listen_place, std::string> parse_listen_place(const std::string& text);
/// A listening socket, closed by who gets it; a Unix socket that a dead process left is replaced. `where` becomes what it
/// listens at. Error: why not.
std::expected<int, std::string> listen_at(listen_place& where);
std::string to_string(const listen_place&);

}  // namespace floe::cli
