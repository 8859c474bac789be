#include "actors/net/socket_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <cstring>

namespace floe {

std::optional<socket_address> parse(const endpoint& e) {
  socket_address a;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&a.storage);
  if (::inet_pton(AF_INET, e.ip.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(e.port);
    a.length = sizeof *v4;
    return a;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&a.storage);
  if (::inet_pton(AF_INET6, e.ip.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(e.port);
    a.length = sizeof *v6;
    return a;
  }
  return std::nullopt;
}

std::optional<socket_address> local_address(const std::string& path) {
  socket_address a;
  auto* u = reinterpret_cast<sockaddr_un*>(&a.storage);
  if (path.size() >= sizeof u->sun_path) return std::nullopt;
  u->sun_family = AF_UNIX;
  std::memcpy(u->sun_path, path.c_str(), path.size() + 1);
  a.length = sizeof *u;
  return a;
}

endpoint describe(const sockaddr_storage& s) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (s.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(s);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return {text.data(), ntohs(v4.sin_port)};
  }
  if (s.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(s);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return {text.data(), ntohs(v6.sin6_port)};
  }
  return {};
}

}  // namespace floe
