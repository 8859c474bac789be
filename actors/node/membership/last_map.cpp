#include "actors/node/membership/last_map.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "actors/plain_file.hpp"

namespace floe {
namespace {

constexpr std::string_view heading = "members";

std::string path_in(const std::string& state_dir) { return state_dir + "/last-map"; }

std::expected<void, std::string> failed(const std::string& path, int error) {
  return std::unexpected(fmt::format("{}: {}", path, std::strerror(error)));
}

/// Everything, and on disk.
int write_whole(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  int error = 0;
  while (error == 0 && !text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n >= 0)
      text.remove_prefix(static_cast<std::size_t>(n));
    else if (errno != EINTR)
      error = errno;
  }
  if (error == 0 && ::fsync(fd) != 0) error = errno;
  if (::close(fd) != 0 && error == 0) error = errno;
  return error;
}

int sync_directory(const std::string& dir) {
  const int fd = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  const int error = ::fsync(fd) != 0 ? errno : 0;
  ::close(fd);
  return error;
}

}  // namespace

std::vector<pnn> members_of(std::span<const pnn> slots) {
  std::vector<pnn> all(slots.begin(), slots.end());
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  return all;
}

std::expected<std::optional<std::vector<pnn>>, std::string> read_last_map(
    const std::string& state_dir) {
  const auto path = path_in(state_dir);
  const auto text = read_plain_file(path);
  if (!text) return std::unexpected(path + " " + text.error());
  if (!*text) return std::nullopt;
  std::string_view rest = **text;
  if (!rest.starts_with(heading) || !rest.ends_with('\n'))
    return std::unexpected(path + " is no list of members");
  rest.remove_prefix(heading.size());
  rest.remove_suffix(1);
  std::vector<pnn> members;
  while (!rest.empty()) {
    std::uint32_t n = 0;
    const auto* begin = rest.data() + 1;
    const auto [end, error] = std::from_chars(begin, rest.data() + rest.size(), n);
    if (rest.front() != ' ' || error != std::errc{})
      return std::unexpected(path + " is no list of members");
    members.push_back(pnn{n});
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  }
  if (members.empty()) return std::unexpected(path + " names no member");
  return members_of(members);
}

std::expected<void, std::string> write_last_map(const std::string& state_dir,
                                                std::span<const pnn> members) {
  std::string text(heading);
  for (const pnn m : members) text += fmt::format(" {}", number(m));
  text += '\n';
  const auto path = path_in(state_dir), draft = path + ".new";
  int error = write_whole(draft, text);
  if (error == 0 && std::rename(draft.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(draft.c_str());
    return failed(path, error);
  }
  if (const int unsure = sync_directory(state_dir)) return failed(state_dir, unsure);
  return {};
}

}  // namespace floe
