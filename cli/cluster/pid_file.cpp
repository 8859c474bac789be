#include "cli/cluster/pid_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace floe::cli {
namespace {

struct flock whole_file(short type) {
  struct flock l {};
  l.l_type = type;
  l.l_whence = SEEK_SET;
  return l;
}

std::optional<pid_t> holder_of(int fd) {
  auto l = whole_file(F_WRLCK);
  if (::fcntl(fd, F_GETLK, &l) != 0 || l.l_type == F_UNLCK) return std::nullopt;
  return l.l_pid;
}

}  // namespace

std::expected<pid_file, std::string> pid_file::take(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return std::unexpected(path + ": " + std::strerror(errno));
  auto l = whole_file(F_WRLCK);
  if (::fcntl(fd, F_SETLK, &l) != 0) {
    const auto other = holder_of(fd);
    ::close(fd);
    return std::unexpected("another node runs in this directory" +
                           (other ? ", process " + std::to_string(*other) : std::string()));
  }
  const auto text = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 ||
      ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    ::close(fd);
    return std::unexpected(path + ": cannot be written");
  }
  return pid_file(fd, path);
}

std::optional<pid_t> pid_file::holder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);  // whoever may read it may know
  if (fd < 0) return std::nullopt;
  const auto pid = holder_of(fd);
  ::close(fd);
  return pid;
}

pid_file::pid_file(pid_file&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

pid_file::~pid_file() {
  if (fd_ < 0) return;
  // a file that somebody has put there since is not ours to remove
  struct stat ours {
  }, there{};
  if (::fstat(fd_, &ours) == 0 && ::stat(path_.c_str(), &there) == 0 &&
      ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
    ::unlink(path_.c_str());
  ::close(fd_);
}

}  // namespace floe::cli
