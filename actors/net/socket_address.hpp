#pragma once
/// Addresses as the kernel takes them, of nodes (IPv4, IPv6) and of Unix sockets.
#include <sys/socket.h>

#include <optional>
#include <string>

#include "actors/net/network.hpp"

namespace floe {

struct socket_address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};
std::optional<socket_address> parse(const endpoint&);
/// Nothing: the path is too long.
std::optional<socket_address> local_address(const std::string& path);
endpoint describe(const sockaddr_storage&);

}  // namespace floe
