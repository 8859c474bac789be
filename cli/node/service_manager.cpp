#include "cli/node/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "cli/whole_number.hpp"

namespace floe::cli {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

bool has_service_manager() { return !variable("NOTIFY_SOCKET").empty(); }

bool tell_service_manager(std::string_view lines) {
  const auto path = variable("NOTIFY_SOCKET");
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof to.sun_path) return true;
  std::memcpy(to.sun_path, path.data(), path.size());
  auto size = offsetof(sockaddr_un, sun_path) + path.size();
  if (path.front() == '@')
    to.sun_path[0] = '\0';  // a name that is no file ends with its last letter
  else
    ++size;
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const auto sent = ::sendto(fd, lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                             reinterpret_cast<const sockaddr*>(&to), static_cast<socklen_t>(size));
  const bool busy = sent < 0 && (errno == EAGAIN || errno == ENOBUFS);
  ::close(fd);
  return !busy;
}

std::optional<std::chrono::microseconds> watchdog_limit() {
  const auto limit = whole_number<std::int64_t>(variable("WATCHDOG_USEC"));
  if (!limit || *limit <= 0) return std::nullopt;
  if (const auto pid = variable("WATCHDOG_PID");
      !pid.empty() && whole_number<std::int64_t>(pid) != ::getpid())
    return std::nullopt;
  return std::chrono::microseconds(*limit);
}

}  // namespace floe::cli
