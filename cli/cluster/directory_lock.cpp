#include "cli/cluster/directory_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

namespace floe::cli {
namespace {

constexpr auto try_pause = std::chrono::milliseconds(50);

struct flock exclusive() {
  struct flock l {};
  l.l_type = F_WRLCK;
  l.l_whence = SEEK_SET;
  return l;
}

}  // namespace

std::expected<directory_lock, std::string> directory_lock::take(const std::string& dir,
                                                                duration patience) {
  std::error_code problem;
  std::filesystem::create_directories(dir, problem);
  if (problem) return std::unexpected(dir + ": " + problem.message());
  const auto path = dir + "/.lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return std::unexpected(path + ": " + std::strerror(errno));
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    auto l = exclusive();
    if (::fcntl(fd, F_SETLK, &l) == 0) return directory_lock(fd);
    if (std::chrono::steady_clock::now() >= end) break;
    std::this_thread::sleep_for(try_pause);
  }
  auto other = exclusive();
  const bool known = ::fcntl(fd, F_GETLK, &other) == 0 && other.l_type != F_UNLCK;
  ::close(fd);
  return std::unexpected(
      fmt::format("another command works on the cluster in {}{}", dir,
                  known ? fmt::format(", process {}", other.l_pid) : std::string()));
}

directory_lock::directory_lock(directory_lock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

directory_lock::~directory_lock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace floe::cli
