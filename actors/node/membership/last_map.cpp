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
#include "protocol/rules/lineage.hpp"

namespace floe {
namespace {

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

/// The numbers of a line that begins with this word; nothing: it is no such line.
std::optional<std::vector<std::uint32_t>> numbers_after(std::string_view word,
                                                        std::string_view line) {
  if (!line.starts_with(word)) return std::nullopt;
  std::vector<std::uint32_t> all;
  for (line.remove_prefix(word.size()); !line.empty();) {
    if (line.front() != ' ') return std::nullopt;
    const auto [end, error] =
        std::from_chars(line.data() + 1, line.data() + line.size(), all.emplace_back());
    if (error != std::errc{}) return std::nullopt;
    line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  }
  return all;
}

}  // namespace

std::vector<pnn> members_of(std::span<const pnn> slots, std::span<const pnn> beside) {
  std::vector<pnn> all(slots.begin(), slots.end());
  all.insert(all.end(), beside.begin(), beside.end());
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  return all;
}

std::expected<std::optional<last_map>, std::string> read_last_map(const std::string& state_dir) {
  const auto path = path_in(state_dir);
  const auto text = read_plain_file(path);
  if (!text) return std::unexpected(path + " " + text.error());
  if (!*text) return std::nullopt;
  const std::string_view all = **text;
  const auto first_end = all.find('\n');
  if (first_end == std::string_view::npos || all.find('\n', first_end + 1) != all.size() - 1)
    return std::unexpected(path + " is no last map: it has two lines");
  const auto members = numbers_after("members", all.substr(0, first_end));
  const auto latest =
      numbers_after("latest", all.substr(first_end + 1, all.size() - first_end - 2));
  if (!members || members->empty() || !latest || latest->size() != 1)
    return std::unexpected(path + " is no last map");
  last_map kept{.members = {}, .latest = generation{latest->front()}};
  for (const auto n : *members) kept.members.push_back(pnn{n});
  kept.members = members_of(kept.members);
  return kept;
}

bool keeps_last_map(quorum_rule quorum, const std::string& cluster_lock) {
  return quorum == quorum_rule::majority || (quorum == quorum_rule::lock && !cluster_lock.empty());
}

std::optional<last_map> to_be_kept(const last_map& now, generation gen,
                                   std::span<const pnn> slots) {
  constexpr std::uint32_t reserved = 64;
  last_map next{.members = members_of(slots), .latest = now.latest};
  const auto least = later_by(gen, 0);
  if (least != generation::invalid &&
      (now.latest == generation::invalid || is_later(least, now.latest)))
    next.latest = later_by(gen, reserved);
  if (next == now) return std::nullopt;
  return next;
}

std::expected<void, std::string> write_last_map(const std::string& state_dir,
                                                const last_map& kept) {
  std::string text = "members";
  for (const pnn m : kept.members) text += fmt::format(" {}", number(m));
  text += fmt::format("\nlatest {}\n", number(kept.latest));
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
