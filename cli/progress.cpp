#include "cli/progress.hpp"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "cli/say.hpp"

namespace floe::cli {

progress_line::progress_line(std::string what, std::uint64_t total, bool wanted)
    : what_(std::move(what)),
      total_(total),
      wanted_(wanted && ::isatty(STDERR_FILENO)),
      next_(std::chrono::steady_clock::now() + std::chrono::seconds(1)) {}

progress_line::~progress_line() {
  lines_on_terminal -= shown_;
  if (shown_) say("\r\033[K");
}

void progress_line::show(std::uint64_t now) {
  const auto t = std::chrono::steady_clock::now();
  if (!wanted_ || t < next_) return;
  next_ = t + std::chrono::milliseconds(100);
  lines_on_terminal += !std::exchange(shown_, true);
  if (total_ > 0)
    say("\r\033[K{}: {} of {} records, {} %", what_, now, total_, now * 100 / total_);
  else
    say("\r\033[K{}: {} records", what_, now);
  std::fflush(stderr);
}

}  // namespace floe::cli
