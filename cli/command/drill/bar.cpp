#include "cli/command/drill/bar.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace floe::cli::drill {

sweep_bar::sweep_bar(bool wanted, std::size_t all) : on_(wanted && ::isatty(STDERR_FILENO) && all > 1), all_(all) {}

void sweep_bar::clear() {
  if (on_) std::fputs("\r\x1b[K", stderr);
}

void sweep_bar::step(bool failed) {
  ++done_;
  failed_ += failed;
  if (!on_) return;
  constexpr std::size_t width = 40;
  const auto full = width * done_ / all_;
  std::string bar;
  for (std::size_t i = 0; i < width; ++i) bar += i < full ? "█" : "·";
  fmt::print(stderr, "\r\x1b[K{} {}/{}{}", bar, done_, all_, failed_ ? fmt::format(", {} failed", failed_) : "");
  std::fflush(stderr);
}

}  // namespace floe::cli::drill
