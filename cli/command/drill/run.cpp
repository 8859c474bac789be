/// floe drill run: plays drills, each with one seed or many, and tells what became of them.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <vector>

#include "cli/command/drill/bar.hpp"
#include "cli/command/drill/failure_kinds.hpp"
#include "cli/command/drill/run_options.hpp"
#include "cli/command/drill/subcommands.hpp"
#include "cli/command/drill/testbed_options.hpp"
#include "cli/command/drill/verdict_text.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/wrap.hpp"

namespace floe::cli::drill {
namespace {

/// What is told of the runs of one command, while they end and afterwards.
class run_report {
 public:
  run_report(const context& c, const run_options& w, result_files& files)
      : json_(c.options.json), wanted_(w), files_(files), tallies_(w.drills.size()) {}

  bool all_held() const { return all_held_; }

  void ended(const planned_run& r, const verdict& v) {
    all_held_ &= v.held;
    tallies_[static_cast<std::size_t>(r.drill - wanted_.drills.data())].add(v);
    if (r.follow == following::picture) live_follower::clear_terminal();  // in case it broke
    if (json_) {
      verdicts_[&r] = v;
    } else if (wanted_.seeds == 1) {
      print_one(r, v);
    } else if (!v.held && kinds_.add(r.drill->name, v)) {  // its equals are counted at the end
      print_text(fmt::format("{}: {}\n", paint(style::bold, r.drill->name), r.drill->title));
      print_failure(r, v);
    }
    flush_output();
  }

  /// `kept`: the one of which there is a file.
  void end(const std::vector<planned_run>& runs, std::optional<std::size_t> kept,
           const left_out_lines& left_out) const {
    if (json_) return put(runs, kept, left_out);
    if (wanted_.seeds > 1) {
      print(kinds_.text());
      print_tallies(wanted_.drills, tallies_);
    }
    if (kept)
      print_text(paint(style::dim, fmt::format("{}: {}, seed {}\n", files_.of_run_text(),
                                               runs[*kept].drill->name, runs[*kept].seed)));
  }

 private:
  void put(const std::vector<planned_run>& runs, std::optional<std::size_t> kept,
           const left_out_lines& left_out) const {
    auto j = open_json("drill run");
    j.text("verdict", all_held_ ? "held" : "failed");
    if (kept) {
      j.begin_object("recorded");
      j.text("drill", runs[*kept].drill->name);
      j.number("seed", runs[*kept].seed);
      j.end();
    }
    put_left_out(j, left_out);
    j.begin_list("runs");
    for (const auto& r : runs) {
      j.begin_object();
      put_members(j, r, verdicts_.at(&r));
      j.end();
    }
    j.end();
    print_json(std::move(j));
  }

  const bool json_;
  const run_options& wanted_;
  result_files& files_;
  std::map<const planned_run*, verdict> verdicts_;  ///< for JSON
  std::vector<tally> tallies_;
  failure_kinds kinds_;
  bool all_held_ = true;
};

int run_drill_run(context& c, const arguments& a) {
  auto w = read_run_options(a);
  if (!w) return print_mistakes("drill run", w.error());
  left_out_lines left_out;
  if (w->on.real)
    if (const int code = leave_out_impossible(c, *w, left_out); code != done) return code;
  auto files = result_files::open(w->files);
  if (!files) return c.fail(files.error());
  auto runs = w->runs();
  for (auto& r : runs) {
    r.measured = c.options.json || w->seeds == 1;
    if (c.options.json && w->narrate) r.narrated = planned_run::narration::silent;
    if (c.options.json && !w->verbose) r.follow = following::nothing;
  }
  files->plan(runs);
  run_report report(c, *w, *files);
  int interrupted = 0;
  {
    sweep_bar bar(!c.options.json, runs.size());
    interrupted = sweep(runs, w->jobs, [&](const planned_run& r, const verdict& v) {
      if (files->any()) files->ended(static_cast<std::size_t>(&r - runs.data()), v);
      bar.clear();
      report.ended(r, v);
      bar.step(!v.held);
    });
  }
  if (interrupted) {
    if (runs.front().follow == following::picture) live_follower::clear_terminal();
    return 128 + interrupted;
  }
  const auto kept = files->keep(runs);
  if (!kept) return c.fail(kept.error());
  report.end(runs, *kept, left_out);
  return report.all_held() ? done : says_no;
}

}  // namespace

command run_command() {
  return {
      .name = "run",
      .group = "Drills",
      .summary = "play drills, in simulation or on real processes; 4 if one fails",
      .example =
          "floe drill run follower-killed\nfloe drill run my.drill --seeds 1000   # failing seeds, "
          "each with the line "
          "that plays it again\n"
          "floe drill run leader-killed --real --ctdbd all --patience 30",
      .positionals = {{"DRILL", "a file, or the name of a shipped drill", false, true}},
      .options = {{"--all", nullptr, "all shipped drills"},
                  {"--sim", nullptr,
                   "all nodes in this process, on virtual time; the way if nothing else is said"},
                  {"--real", nullptr,
                   "nodes that are processes, on real time; root can cut and slow down the network "
                   "between them"},
                  {"--ctdbd", "LIST", "with --real: these nodes are Samba's ctdbd: 1,2 or all"},
                  {"--patience", "F",
                   "with --real: limits of `within` are F times longer; they are written for floe"},
                  {"--skip-impossible", nullptr,
                   "with --real: leave out lines that cannot be done here, and list them"},
                  {"--keep", nullptr,
                   "with --real: keep the nodes' files (those of failed drills are kept anyway)"},
                  {"--seed", "N", "the seed, or the first of several (that of the drill)"},
                  {"--seeds", "N", "play it with so many seeds, from 1 or --seed on, on all cores"},
                  {"--jobs", "N", "runs at a time (as many as cores)"},
                  {"--trace", "FILE", "write down everything that happens; equal for equal seeds"},
                  {"-v,--verbose", nullptr,
                   "each line of the script as it is played, on standard error"},
                  {"--narrate", nullptr,
                   "told while it is played: parts under their headings, lines with their times, "
                   "the timeline at the end"},
                  {"--report", "FILE",
                   "a page for a browser: timeline, faults, throughput, trace; of the first run "
                   "that fails, or the first"},
                  {"--record", "FILE", "the same run as JSON, for `floe drill compare`"},
                  {"--perfetto", "FILE", "the same run as a trace for ui.perfetto.dev"},
                  {"--junit", "FILE", "all runs as JUnit's XML"}},
      .run = run_drill_run};
}

}  // namespace floe::cli::drill
