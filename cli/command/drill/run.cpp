/// floe drill run
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

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

int run(context& c, const arguments& a) {
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
  std::map<const planned_run*, verdict> ended;
  std::vector<tally> tallies(w->drills.size());
  failure_kinds kinds;
  bool all_held = true;
  int interrupted = 0;
  {
    sweep_bar bar(!c.options.json, runs.size());
    interrupted = sweep(runs, w->jobs, [&](const planned_run& r, const verdict& v) {
      all_held &= v.held;
      if (files->any()) files->ended(static_cast<std::size_t>(&r - runs.data()), v);
      tallies[static_cast<std::size_t>(r.drill - w->drills.data())].add(v);
      bar.clear();
      if (r.follow == following::picture) live_follower::clear_terminal();  // in case it broke
      if (!c.options.json && w->seeds > 1 && !v.held) {
        if (kinds.add(r.drill->name, v)) {  // its equals are counted at the end
          print_text(fmt::format("{}: {}\n", paint(style::bold, r.drill->name), r.drill->title));
          print_failure(r, v);
        }
      }
      if (!c.options.json && w->seeds == 1) print_one(r, v);
      std::fflush(stdout);
      bar.step(!v.held);
      if (c.options.json) ended[&r] = v;
    });
  }
  if (interrupted) {
    if (runs.front().follow == following::picture) live_follower::clear_terminal();
    return 128 + interrupted;
  }
  const auto kept = files->keep(runs);
  if (!kept) return c.fail(kept.error());
  if (c.options.json) {
    auto j = open_json("drill run");
    j.text("verdict", all_held ? "held" : "failed");
    if (*kept) {
      j.begin_object("recorded");
      j.text("drill", runs[**kept].drill->name);
      j.number("seed", runs[**kept].seed);
      j.end();
    }
    put_left_out(j, left_out);
    j.begin_list("runs");
    for (const auto& r : runs) {
      j.begin_object();
      put_members(j, r, ended.at(&r));
      j.end();
    }
    j.end();
    print_json(std::move(j));
  } else if (w->seeds > 1) {
    print(kinds.text());
    print_tallies(w->drills, tallies);
  }
  if (!c.options.json && *kept)
    print_text(paint(style::dim, fmt::format("{}: {}, seed {}\n", files->of_run_text(),
                                             runs[**kept].drill->name, runs[**kept].seed)));
  return all_held ? done : says_no;
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
      .run = run};
}

}  // namespace floe::cli::drill
