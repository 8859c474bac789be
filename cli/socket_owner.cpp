#include "cli/socket_owner.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

namespace floe::cli {
namespace {

/// Who listens there; nothing if nobody does, or nobody lets us in.
std::optional<pid_t> listener(const std::string& path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.size() >= sizeof to.sun_path) return std::nullopt;
  std::memcpy(to.sun_path, path.c_str(), path.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return std::nullopt;
  ucred who{};
  socklen_t size = sizeof who;
  const bool known = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 &&
                     ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.pid > 0;
  ::close(fd);
  if (!known) return std::nullopt;
  return who.pid;
}

/// The letter of /proc/PID/stat: R, S, D, T ...; '?' if there is none.
char state_of(pid_t pid) {
  std::ifstream stat(fmt::format("/proc/{}/stat", pid));
  std::string line;
  std::getline(stat, line);
  const auto end = line.rfind(") ");
  return end == std::string::npos || end + 2 >= line.size() ? '?' : line[end + 2];
}

}  // namespace

/// By the socket's own rights, or those of a folder on the way.
bool is_forbidden(const std::string& socket) {
  return ::access(socket.c_str(), R_OK | W_OK) != 0 && errno == EACCES;
}

std::string why_no_answer(const std::string& socket) {
  if (is_forbidden(socket)) return "this user may not use the socket: be its owner, or root";
  const auto pid = listener(socket);
  if (!pid) return "is the node running? `floe node --base DIR` starts one";
  switch (state_of(*pid)) {
    case 'T':
    case 't': return fmt::format("its process {} is stopped: kill -CONT {}", *pid, *pid);
    case 'D': return fmt::format("its process {} waits for a disk that does not answer", *pid);
    default:
      return fmt::format(
          "its process {} is there and does not answer: is it a node, or is the machine starved?",
          *pid);
  }
}

bool is_stopped(const std::string& socket) {
  const auto pid = listener(socket);
  const char state = pid ? state_of(*pid) : '?';
  return state == 'T' || state == 't';
}

}  // namespace floe::cli
