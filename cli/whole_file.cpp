#include "cli/whole_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace floe::cli {
namespace {

using outcome = std::expected<void, std::string>;

outcome cannot_write(const std::string& path, int why) {
  return std::unexpected(fmt::format("{} cannot be written: {}", path, std::strerror(why)));
}

bool is_special(const std::string& path) {
  struct stat s {};
  return ::stat(path.c_str(), &s) == 0 && !S_ISREG(s.st_mode);
}

std::string draft_of(const std::string& path) {
  return fmt::format("{}.{}.part", path, ::getpid());
}

/// 0, or why not.
int put(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return errno;
  while (!text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int why = errno;
      ::close(fd);
      return why;
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return ::close(fd) == 0 ? 0 : errno;
}

}  // namespace

outcome can_be_written(const std::string& path) {
  const bool there = ::access(path.c_str(), F_OK) == 0;
  if (there && ::access(path.c_str(), W_OK) != 0) return cannot_write(path, errno);
  if (is_special(path)) {
    const bool directory = ::access((path + "/.").c_str(), F_OK) == 0;
    return directory ? cannot_write(path, EISDIR) : outcome{};
  }
  const auto draft = draft_of(path);
  if (const int why = put(draft, {})) return cannot_write(path, why);
  ::unlink(draft.c_str());
  return {};
}

outcome write_whole(const std::string& path, std::string_view text) {
  if (is_special(path)) {
    const int why = put(path, text);
    return why ? cannot_write(path, why) : outcome{};
  }
  const auto draft = draft_of(path);
  int why = put(draft, text);
  if (!why && std::rename(draft.c_str(), path.c_str()) != 0) why = errno;
  if (!why) return {};
  ::unlink(draft.c_str());
  return cannot_write(path, why);
}

}  // namespace floe::cli
