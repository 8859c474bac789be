#include "actors/plain_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace floe {
namespace {

/// Closes at the end of its scope.
struct descriptor {
  int fd;
  ~descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

std::string system_error() { return std::strerror(errno); }

std::string kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISBLK(mode) || S_ISCHR(mode)) return "a device";
  return "no regular file";
}

std::string odd_content(const std::string& text) {
  if (text.starts_with("\xef\xbb\xbf") || text.starts_with("\xff\xfe") ||
      text.starts_with("\xfe\xff"))
    return "begins with a byte order mark: save it as plain text";
  if (const auto nul = text.find('\0'); nul != std::string::npos)
    return fmt::format("is no text: there is a NUL at byte {}", nul);
  return {};
}

}  // namespace

std::expected<std::optional<std::string>, std::string> read_plain_file(const std::string& path,
                                                                       std::size_t limit) {
  const descriptor file{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)};
  if (file.fd < 0 && errno == ENOENT) {
    // a link whose target is gone (a disk that is not mounted) is there all the same
    struct stat link {};
    if (::lstat(path.c_str(), &link) == 0 && S_ISLNK(link.st_mode))
      return std::unexpected("is a link to a file that is not there");
    return std::nullopt;
  }
  if (file.fd < 0) return std::unexpected("cannot be read: " + system_error());
  struct stat about {};
  if (::fstat(file.fd, &about) != 0) return std::unexpected("cannot be read: " + system_error());
  if (!S_ISREG(about.st_mode)) return std::unexpected("is " + kind_of(about.st_mode));
  std::string text;
  char part[16384];
  for (;;) {
    const auto n = ::read(file.fd, part, sizeof part);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected("cannot be read: " + system_error());
    if (n == 0) break;
    text.append(part, static_cast<std::size_t>(n));
    if (text.size() > limit) return std::unexpected(fmt::format("is larger than {} bytes", limit));
  }
  if (const auto wrong = odd_content(text); !wrong.empty()) return std::unexpected(wrong);
  return text;
}

std::string_view trimmed(std::string_view line) {
  const auto first = line.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace floe
