#include "cli/drill/run/play.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "cli/drill/checker/checker.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "cli/drill/run/said.hpp"
#include "cli/drill/testbed/sim_testbed.hpp"
#include "cli/lock_picture.hpp"

namespace floe::cli::drill {
namespace {

using namespace std::chrono_literals;

/// No line of a script begins so.
constexpr std::string_view check_mark = "check: ";

/// `at`: the line that fails.
outcome play_lines(drill_run& s, const script& drill, const std::vector<statement>& lines,
                   const listeners& to, std::string& at) {
  for (const auto& l : lines) {
    if (to.played) to.played(l);
    s.note("drill", fmt::format("{}: {}", l.line, l.text));
    switch (l.is) {
      case verb::kind::repeat:
        for (std::uint64_t i = 0; i < l.times; ++i)
          if (auto done = play_lines(s, drill, l.blocks[0], to, at); !done) return done;
        break;
      case verb::kind::one_of:
        if (auto done = play_lines(s, drill, l.blocks[s.pick(l.blocks.size())], to, at); !done)
          return done;
        break;
      case verb::kind::plain:
        if (auto done = l.act(s); !done) {
          if (l.may_fail) {
            s.note("drill", "not possible: " + done.error());
            break;
          }
          at = l.text;
          return failed_because(
              fmt::format("{}:{}: {}: {}", drill.name, l.line, l.text, done.error()));
        }
        break;
      case verb::kind::cluster:
      case verb::kind::either:
      case verb::kind::attempt:
      case verb::kind::end: break;
    }
  }
  return {};
}

void measure(const drill_run& s, time_us end, verdict& v) {
  v.records_kept = s.seen.records_kept;
  v.records_lost = s.seen.records_lost;
  v.operations = s.past.ops.size() + s.past.transactions.size();
  for (const auto& t : s.past.transactions)
    v.writes += t.result == op_end::done ? t.writes.size() : 0;
  for (const auto& o : s.past.ops) {
    if (o.result == op_end::done && (o.kind == op_kind::store || o.kind == op_kind::erase))
      ++v.writes;
    if (o.final_look || o.end == never || o.begin > end) continue;
    const double ms = static_cast<double>(o.end - o.begin) / 1000;
    if (ms > v.longest_wait_ms) {
      v.longest_wait_ms = ms;
      v.longest_wait =
          fmt::format("{} on node {}, from {}", record_text(o), o.node, at_text(o.begin));
    }
  }
  for (const auto& f : s.seen.frozen) {
    const double ms = static_cast<double>(f.to - f.from) / 1000;
    if (ms > v.longest_pause_ms) {
      v.longest_pause_ms = ms;
      v.longest_pause = fmt::format("{} on node {}, from {}", f.db, f.node, at_text(f.from));
    }
  }
}

/// What each checker says of the history and of what was seen.
void look_at_all(drill_run& s, verdict& v) {
  for (const auto& c : all_checkers()) {
    checked done{.checker = c.name};
    for (auto& f : c.check(s.past, s.seen)) {
      if (c.about_losses && s.lossless && !f.broken) {
        f.broken = true;
        f.text += " (because of " + std::exchange(f.because, {}) + ", but this drill is lossless)";
      }
      s.note("check", fmt::format("{}: {}{}{}", c.name, f.broken ? "BROKEN: " : "explained: ",
                                  f.text, f.because.empty() ? "" : "; because of " + f.because));
      if (f.broken)
        done.broken.push_back(std::move(f.text));
      else
        ++done.explained, ++done.causes[f.because];
    }
    if (c.about_losses) v.losses += done.explained;
    v.checks.push_back(std::move(done));
  }
}

/// Whether it held, and if not, what told so first: a line, a check, or what no moment may show.
void judge_run(drill_run& s, const outcome& story, verdict& v) {
  v.held = story.has_value();
  if (!story) v.reason = story.error();
  for (const auto& c : v.checks) {
    if (c.broken.empty()) continue;
    v.held = false;
    if (v.failed_at.empty() && story) v.failed_at = at_check(c.checker);
    if (v.reason.empty()) v.reason = fmt::format("{}: {}", c.checker, c.broken.front());
  }
  if (const auto why = s.cluster().broken()) {
    v.held = false;
    v.reason = *why + (v.reason.empty() ? "" : "; " + v.reason);
    if (v.failed_at.empty()) v.failed_at = at_check("every moment");
  }
}

std::vector<std::string> circle_in(drill_run& s) {
  lock_picture locks;
  for (const auto& report : s.full_reports()) locks.add(report);
  return find_cycle(locks);
}

}  // namespace

std::string at_check(std::string_view name) { return std::string(check_mark) + std::string(name); }

std::optional<std::string_view> check_in(std::string_view failed_at) {
  if (!failed_at.starts_with(check_mark)) return std::nullopt;
  return failed_at.substr(check_mark.size());
}

verdict play(const script& drill, std::uint64_t seed, listeners to) {
  return play(drill, seed, std::make_unique<sim_testbed>(drill, seed), std::move(to));
}

verdict play(const script& drill, std::uint64_t seed, std::unique_ptr<testbed> on, listeners to) {
  const auto began = std::chrono::steady_clock::now();
  verdict v{.seed = seed};
  auto run = std::make_unique<drill_run>(std::move(on), seed, std::move(to.trace));
  drill_run& s = *run;
  s.patience = drill.patience;
  s.on_log = to.log;
  if (to.begin) to.begin(s);
  s.past.cluster_lock = drill.cluster_lock;
  s.past.majority = drill.quorum == quorum_rule::majority;
  s.past.any_part = drill.quorum == quorum_rule::none;
  auto story = s.open();
  if (story && !s.wait_until([&] { return !s.not_normal({}); }, drill.bound))
    story = failed_because("the cluster does not become NORMAL at the beginning: " +
                           s.not_normal({}).value_or("?"));
  else if (story)
    story = play_lines(s, drill, drill.body, to, v.failed_at);
  const auto end = s.now();
  s.on_log = nullptr;
  if (to.over) to.over(story.has_value());
  if (!story) {
    s.note("drill", std::string(said::failed) + story.error());
    v.circle = circle_in(s);
  }
  s.aftermath(drill.bound);
  look_at_all(s, v);
  judge_run(s, story, v);
  v.kept = s.cluster().kept_files(v.held);
  measure(s, end, v);
  v.virtual_ms = static_cast<double>(s.now()) / 1000;
  v.real_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
  s.note("drill", v.held ? "verdict: held" : "verdict: " + v.reason);
  if (to.end) to.end(s);
  if (to.keep) to.keep(std::move(run));
  return v;
}

}  // namespace floe::cli::drill
