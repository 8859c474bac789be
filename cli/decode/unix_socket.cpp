#include "cli/decode/unix_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

namespace floe::cli {
namespace {

std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  if (path.size() >= sizeof a.sun_path) return std::nullopt;
  std::memcpy(a.sun_path, path.data(), path.size());
  return a;
}

std::unexpected<std::string> failure(const std::string& path, int error) {
  return std::unexpected(path + ": " + std::strerror(error));
}

file_descriptor new_socket() {
  return file_descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

}  // namespace

file_descriptor::~file_descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

std::expected<file_descriptor, std::string> connect_to(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return std::unexpected(path + ": too long for the path of a socket");
  auto fd = new_socket();
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0)
    return failure(path, errno);
  if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) return failure(path, errno);
  return fd;
}

std::expected<file_descriptor, std::string> listen_on(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return std::unexpected(path + ": too long for the path of a socket");
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode)) return std::unexpected(path + ": exists and is no socket");
    const auto trial = new_socket();
    if (::connect(trial.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0)
      return std::unexpected(path + ": somebody listens there already");
    if (errno == ECONNREFUSED) ::unlink(path.c_str());
  }
  auto fd = new_socket();
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0)
    return failure(path, errno);
  if (::listen(fd.get(), SOMAXCONN) != 0 || ::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0)
    return failure(path, errno);
  return fd;
}

std::string peer_text(int fd) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return "unknown process";
  std::string name;
  std::ifstream comm("/proc/" + std::to_string(who.pid) + "/comm");
  std::getline(comm, name);
  return (name.empty() ? "process" : name) + ", pid " + std::to_string(who.pid);
}

}  // namespace floe::cli
