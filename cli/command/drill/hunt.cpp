/// floe drill hunt: drills that the program writes by itself.
#include "cli/drill/hunt/hunt.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "cli/command/drill/against.hpp"
#include "cli/command/drill/subcommands.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/say.hpp"
#include "cli/whole_file.hpp"
#include "cli/whole_number.hpp"
#include "cli/wrap.hpp"

namespace floe::cli::drill {
namespace {

namespace fs = std::filesystem;

struct hunt_request {
  hunt_options options;
  fs::path out;
};

std::expected<hunt_request, std::string> read_request(const arguments& a) {
  hunt_request r{.options = {.jobs = std::max(1U, std::thread::hardware_concurrency()),
                             .shipped = !a.has("--anew"),
                             .shrink = !a.has("--as-found")},
                 .out = a.has("--out") ? a["--out"] : "hunted"};
  std::uint64_t drills = r.options.drills, jobs = r.options.jobs, failures = 0;
  for (const auto& [name, to, most] : {std::tuple<const char*, std::uint64_t*, std::uint64_t>{
                                           "--seed", &r.options.seed, UINT64_MAX / 2},
                                       {"--drills", &drills, 100'000'000},
                                       {"--jobs", &jobs, 1000},
                                       {"--failures", &failures, 1000}}) {
    if (!a.has(name)) continue;
    const auto n = parse_count(a[name]);
    if (!n || *n < 1 || *n > most)
      return std::unexpected(
          fmt::format("{} takes a number from 1 to {}: {}", name, most, a[name]));
    *to = *n;
  }
  r.options.drills = drills;
  r.options.jobs = jobs;
  r.options.failures = failures;
  if (a.has("--with")) {
    const auto scope = hunt_scope_named(a["--with"]);
    if (!scope) return std::unexpected("--with takes lock, majority or all: " + a["--with"]);
    r.options.scope = *scope;
  }
  if (a.has("--minutes")) {
    if (a.has("--drills"))
      return std::unexpected("it ends after --minutes or after --drills, not after both");
    const auto& text = a["--minutes"];
    r.options.minutes = whole_number<double>(text).value_or(0);
    if (!(r.options.minutes > 0) || r.options.minutes > 100'000)
      return std::unexpected("--minutes takes a number from 0.01 to 100000: " + text);
  }
  return r;
}

/// "kept-writes-3.drill"
std::string file_name(const hunt_failure& f, std::size_t number) {
  std::string what(check_in(f.failed_at).value_or("broke"));
  std::ranges::replace(what, ' ', '-');
  return fmt::format("{}-{}.drill", what, number);
}

class hunt_report {
 public:
  hunt_report(const hunt_request& r, bool silent)
      : out_(r.out), silent_(silent), shown_(!silent && ::isatty(STDERR_FILENO)) {}

  void progress(const hunt_progress& p) {
    if (!shown_) return;
    say("\r\x1b[K{} drills, {} pairs of events, {} drills to change, {} failures of {} kinds{}",
        p.drills, p.pairs, p.pool, p.failures, p.kinds, p.doing.empty() ? "" : "; " + p.doing);
    std::fflush(stderr);
  }
  void clear() {
    if (shown_) say("\r\x1b[K");
  }
  void found(const hunt_failure& f) {
    files_.push_back((out_ / file_name(f, files_.size() + 1)).string());
    std::error_code made;
    fs::create_directories(out_, made);
    if (const auto done = made ? std::unexpected(out_.string() + ": " + made.message())
                               : write_whole(files_.back(), f.text);
        !done)
      error_ = done.error();
    if (silent_) return;
    clear();
    print_text(fmt::format("{}  drill {}: {}\n        {} lines{}; again: floe drill run {}\n",
                           paint(style::bad, "FAILED"), f.drill, f.reason, f.lines,
                           f.smaller ? "" : " as found", files_.back()));
    flush_output();
  }

  const std::vector<std::string>& files() const { return files_; }
  const std::string& error() const { return error_; }

 private:
  fs::path out_;
  bool silent_, shown_;
  std::vector<std::string> files_;
  std::string error_;
};

void put(const hunt_request& r, const hunt_result& found, const std::vector<std::string>& files,
         double seconds) {
  auto j = open_json("drill hunt");
  j.text("verdict", found.end.failures == 0 ? "held" : "failed");
  j.number("seed", r.options.seed);
  j.number("drills", found.end.drills);
  j.number("pairs", found.end.pairs);
  j.number("failed", found.end.failures);
  j.real("virtual_s", found.end.virtual_s);
  j.real("seconds", seconds);
  j.begin_list("failures");
  for (std::size_t i = 0; i < found.failures.size(); ++i) {
    const auto& f = found.failures[i];
    j.begin_object();
    j.text("failed_at", f.failed_at);
    j.text("last_events", f.last_events);
    j.text("reason", f.reason);
    j.number("drill", f.drill);
    j.number("times", f.times);
    j.number("seed", f.seed);
    j.number("lines", f.lines);
    j.text("file", files[i]);
    j.end();
  }
  j.end();
  print_json(std::move(j));
}

int run_drill_hunt(context& c, const arguments& a) {
  const auto r = read_request(a);
  if (!r) return print_mistakes("drill hunt", r.error());
  if (a.has("--against")) return play_against(c, r->out.string(), a["--against"], r->options.jobs);
  const auto began = std::chrono::steady_clock::now();
  hunt_report report(*r, c.options.json);
  const auto found =
      hunt(r->options, {.progress = [&](const hunt_progress& p) { report.progress(p); },
                        .found = [&](const hunt_failure& f) { report.found(f); }});
  report.clear();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (!report.error().empty()) return c.fail(report.error());
  if (c.options.json) {
    put(*r, found, report.files(), seconds);
  } else {
    print_text(
        fmt::format("{}  {} drills in {}: {} of clusters' life, {} pairs of events",
                    found.end.failures ? paint(style::bad, "FAILED") : paint(style::good, "held"),
                    found.end.drills, age_text(seconds * 1000),
                    age_text(found.end.virtual_s * 1000), found.end.pairs));
    if (found.end.failures)
      print_text(fmt::format("; {} failed in {} ways", found.end.failures, found.failures.size()));
    print("\n");
  }
  if (found.interrupted) return failed;
  return found.end.failures == 0 ? done : says_no;
}

}  // namespace

command hunt_command() {
  return {
      .name = "hunt",
      .group = "Drills",
      .summary = "write drills and play them, from a seed, and keep those that fail; 4 if one does",
      .example =
          "floe drill hunt --minutes 10\nfloe drill hunt --drills 5000 --seed 7   # the same "
          "drills on every machine\n"
          "floe drill run hunted/kept-writes-1.drill\n"
          "floe drill hunt --out hunted --against /usr/bin/floe",
      .options =
          {{"--drills", "N", "end after so many (1000)"},
           {"--minutes", "N", "or after this time"},
           {"--seed", "N", "from which everything follows, with the number of drills (1)"},
           {"--with", "WHAT",
            "only clusters with a lock that is never in two hands (lock), only with "
            "quorum=majority (majority), or all"},
           {"--out", "DIR", "where failing drills are written (hunted)"},
           {"--failures", "N", "end when so many kinds of failures have been found"},
           {"--as-found", nullptr, "failing drills are not made smaller"},
           {"--anew", nullptr,
            "begin with nothing: otherwise some drills are changed ones of the shipped drills"},
           {"--against", "PROGRAM",
            "hunt nothing: play the drills of --out here and with that program; 4 if they differ"},
           {"--jobs", "N", "runs at a time (as many as cores)"}},
      .run = run_drill_hunt};
}

}  // namespace floe::cli::drill
