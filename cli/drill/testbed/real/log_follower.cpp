#include "cli/drill/testbed/real/log_follower.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <utility>

namespace floe::cli::drill {
namespace {

std::int64_t wall_now() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// The rest of the text after the next space.
std::string_view after_word(std::string_view text) {
  const auto space = text.find(' ');
  return space == std::string_view::npos ? std::string_view() : text.substr(space + 1);
}

log_level level_of(std::string_view word) {
  if (word.starts_with("error")) return log_level::error;
  if (word.starts_with("warning")) return log_level::warning;
  if (word.starts_with("debug")) return log_level::debug;
  return log_level::info;
}

}  // namespace

log_follower::log_follower(log_follower&& o) noexcept
    : path_(std::move(o.path_)),
      of_floe_(o.of_floe_),
      file_(std::exchange(o.file_, -1)),
      rest_(std::move(o.rest_)) {}

log_follower::~log_follower() {
  if (file_ >= 0) ::close(file_);
}

void log_follower::read(const line_sink& to) {
  if (file_ < 0) file_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0) return;
  char buffer[16384];
  for (;;) {
    const auto n = ::read(file_, buffer, sizeof buffer);
    if (n <= 0) return;
    rest_.append(buffer, static_cast<std::size_t>(n));
    std::size_t begin = 0;
    for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
      line(std::string_view(rest_).substr(begin, end - begin), to);
      begin = end + 1;
    }
    rest_.erase(0, begin);
  }
}

void log_follower::line(std::string_view text, const line_sink& to) const {
  std::tm t{};
  unsigned us = 0;
  const std::string copy(text.substr(0, 26));
  if (!of_floe_ || std::sscanf(copy.c_str(), "%d-%d-%dT%d:%d:%d.%6u", &t.tm_year, &t.tm_mon,
                               &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec, &us) != 7)
    return to(wall_now(), log_level::info, text);
  t.tm_year -= 1900;
  t.tm_mon -= 1;
  t.tm_isdst = -1;
  const auto from_level = after_word(after_word(after_word(text)));
  to(static_cast<std::int64_t>(std::mktime(&t)) * 1'000'000 + us, level_of(from_level),
     after_word(from_level));
}

}  // namespace floe::cli::drill
