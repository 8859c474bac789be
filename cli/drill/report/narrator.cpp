#include "cli/drill/report/narrator.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "cli/drill/language/script.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "cli/drill/run/play.hpp"
#include "cli/output.hpp"
#include "cli/wrap.hpp"

namespace floe::cli::drill {

void narrator::say(const std::string& text) const {
  if (silent_) return;
  print(text);
  flush_output();
}

void narrator::begin(const script& s, drill_run& run) {
  run_ = &run;
  say(paint(style::bold, s.title) + "\n");
}

void narrator::played(const statement& s) {
  finish_step(true);
  if (!s.heading.empty())
    say(fmt::format("\n{} {}\n", paint(style::bold, std::to_string(++part_)),
                    paint(style::bold, wrapped(s.heading, line_limit(), 2))));
  if (s.is != verb::kind::plain) return;
  line_ = s.text;
  since_us_ = run_->now();
}

void narrator::end(const verdict& v) {
  run_ = nullptr;
  if (v.held) return;
  say("\n" + paint(style::bad, wrapped(v.reason, line_limit(), 2)) + "\n");
  if (v.circle.empty()) return;
  say("\n" + paint(style::bad, "Deadlock. These wait for each other:") + "\n");
  for (const auto& one : v.circle) say("  " + wrapped(one, line_limit(), 4) + "\n");
}

void narrator::finish_step(bool held) {
  if (line_.empty()) return;
  steps_.push_back({.part = part_,
                    .text = std::exchange(line_, {}),
                    .held = held,
                    .ms = static_cast<double>(run_->now() - since_us_) / 1000});
  const auto& s = steps_.back();
  say(fmt::format("  {} {}  {}\n", paint(held ? style::good : style::bad, held ? "ok  " : "FAIL"),
                  s.text, paint(style::dim, age_text(s.ms))));
}

}  // namespace floe::cli::drill
