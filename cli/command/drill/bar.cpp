#include "cli/command/drill/bar.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "cli/output.hpp"
#include "cli/say.hpp"

namespace floe::cli::drill {

sweep_bar::sweep_bar(bool wanted, std::size_t all)
    : on_(wanted && ::isatty(STDERR_FILENO) && all > 1), all_(all) {}

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
  const auto seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  const auto pace = pace_text(done_, all_, seconds);
  say("\r\x1b[K{} {}/{}{}{}", bar, done_, all_, failed_ ? fmt::format(", {} failed", failed_) : "",
      pace.empty() ? "" : ", " + pace);
  std::fflush(stderr);
}

std::string pace_text(std::size_t done, std::size_t all, double seconds) {
  if (done == 0 || seconds < 0.5) return {};
  const auto rate = static_cast<double>(done) / seconds;
  return fmt::format("{:.{}f}/s, {} left", rate, rate < 10 ? 1 : 0,
                     age_text(static_cast<double>(all - done) / rate * 1000));
}

}  // namespace floe::cli::drill
