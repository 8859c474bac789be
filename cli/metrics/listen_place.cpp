#include "cli/metrics/listen_place.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/config/c_number.hpp"

namespace floe::cli {
namespace {

constexpr const char* forms =
    "must be 127.0.0.1:PORT, [::1]:PORT or unix:PATH: metrics are for this machine only";
constexpr int backlog = 16;

bool is_loopback(const std::string& ip) {
  in_addr v4{};
  if (::inet_pton(AF_INET, ip.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return ::inet_pton(AF_INET6, ip.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::unexpected<std::string> problem(const listen_place& where, int error) {
  return std::unexpected(to_string(where) + ": " + std::strerror(error));
}

std::expected<int, std::string> bound(const listen_place& where, const sockaddr* address,
                                      socklen_t size) {
  const int fd = ::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return problem(where, errno);
  const int on = 1;
  if (address->sa_family != AF_UNIX) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, address, size) == 0 && ::listen(fd, backlog) == 0) return fd;
  const int error = errno;
  ::close(fd);
  return problem(where, error);
}

/// Nobody answers there: a file that a process left behind when it was killed.
bool is_left_over(const sockaddr_un& a) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool refused =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0 && errno == ECONNREFUSED;
  ::close(fd);
  return refused;
}

std::expected<int, std::string> listen_unix(const listen_place& where) {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  std::memcpy(a.sun_path, where.path.data(), where.path.size());
  if (is_left_over(a)) ::unlink(where.path.c_str());
  return bound(where, reinterpret_cast<const sockaddr*>(&a), sizeof a);
}

/// The port that the system has chosen.
std::uint16_t port_of(int fd) {
  sockaddr_storage a{};
  socklen_t size = sizeof a;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size) != 0) return 0;
  return ntohs(a.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(a).sin6_port
                                       : reinterpret_cast<const sockaddr_in&>(a).sin_port);
}

}  // namespace

std::expected<listen_place, std::string> parse_listen_place(const std::string& text) {
  constexpr std::string_view unix_prefix = "unix:";
  if (text.starts_with(unix_prefix)) {
    listen_place p{.path = text.substr(unix_prefix.size())};
    if (!p.path.starts_with('/')) return std::unexpected("a Unix socket needs a whole path");
    if (p.path.size() >= sizeof(sockaddr_un::sun_path))
      return std::unexpected("too long for a Unix socket");
    return p;
  }
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return std::unexpected(forms);
  auto ip = text.substr(0, colon);
  if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
  const auto port = parse_c_number(text.substr(colon + 1));
  if (!is_loopback(ip) || !port || *port > 65535) return std::unexpected(forms);
  return listen_place{.path = {}, .address = ip, .port = static_cast<std::uint16_t>(*port)};
}

std::expected<int, std::string> listen_at(listen_place& where) {
  if (!where.path.empty()) return listen_unix(where);
  std::expected<int, std::string> fd;
  if (where.address.find(':') != std::string::npos) {
    sockaddr_in6 a{};
    a.sin6_family = AF_INET6;
    a.sin6_port = htons(where.port);
    ::inet_pton(AF_INET6, where.address.c_str(), &a.sin6_addr);
    fd = bound(where, reinterpret_cast<const sockaddr*>(&a), sizeof a);
  } else {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(where.port);
    ::inet_pton(AF_INET, where.address.c_str(), &a.sin_addr);
    fd = bound(where, reinterpret_cast<const sockaddr*>(&a), sizeof a);
  }
  if (fd) where.port = port_of(*fd);
  return fd;
}

std::string to_string(const listen_place& p) {
  if (!p.path.empty()) return "unix:" + p.path;
  return p.address.find(':') == std::string::npos ? fmt::format("{}:{}", p.address, p.port)
                                                  : fmt::format("[{}]:{}", p.address, p.port);
}

}  // namespace floe::cli
