#include "cli/replay/report.hpp"

#include <fmt/format.h>

#include "cli/output.hpp"

namespace floe::cli {

void story_report::clear_progress() {
  if (!bar_shown_) return;
  print("\r\033[K");
  bar_shown_ = false;
}

void story_report::title(std::string_view text) {
  if (!silent_) print(paint(style::bold, text) + "\n");
}

void story_report::step(int number, std::string_view text) {
  step_ = number;
  if (silent_) return;
  clear_progress();
  print(fmt::format("\n{} {}\n", paint(style::bold, std::to_string(number)),
                    paint(style::bold, text)));
  std::fflush(stdout);
}

bool story_report::expect(bool held, std::string_view text, double ms) {
  lines_.push_back({step_, std::string(text), held, ms});
  all_held_ = all_held_ && held;
  if (silent_) return held;
  clear_progress();
  print(fmt::format("  {} {}{}\n", paint(held ? style::good : style::bad, held ? "ok  " : "FAIL"),
                    text, ms < 0 ? "" : "  " + paint(style::dim, age_text(ms))));
  std::fflush(stdout);
  return held;
}

void story_report::say(std::string_view text) {
  if (silent_) return;
  clear_progress();
  print(text);
  std::fflush(stdout);
}

void story_report::progress(std::string_view what, std::size_t finished, std::size_t all) {
  if (silent_ || !colours_wanted() || all == 0) return;
  const std::size_t percent = finished * 100 / all;
  if (percent == last_percent_) return;
  last_percent_ = percent;
  constexpr std::size_t width = 30;
  std::string bar;
  for (std::size_t i = 0; i < width; ++i) bar += i * 100 < percent * width ? "█" : "░";
  print(fmt::format("\r\033[K       {} {} {}%", paint(style::accent, bar), what, percent));
  std::fflush(stdout);
  bar_shown_ = true;
}

void story_report::put(wire::json_writer& j) const {
  j.begin_list("steps");
  for (const auto& l : lines_) {
    j.begin_object();
    j.integer("step", l.step);
    j.text("expected", l.text);
    j.boolean("held", l.held);
    if (l.ms < 0)
      j.null("ms");
    else
      j.real("ms", l.ms);
    j.end();
  }
  j.end();
}

}  // namespace floe::cli
