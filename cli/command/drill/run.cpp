/// floe drill run
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "cli/command/drill/bar.hpp"
#include "cli/command/drill/parts.hpp"
#include "cli/command/drill/tell.hpp"
#include "cli/command/drill/wishes.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"

namespace floe::cli::drill {
namespace {

int run(context& c, const arguments& a) {
  const auto w = read_wishes(a);
  if (!w) return c.misused("drill run: " + w.error());
  const auto runs = w->runs();
  std::map<const planned_run*, verdict> ended;
  std::vector<tally> tallies(w->drills.size());
  bool all_held = true;
  {
    sweep_bar bar(!c.options.json, runs.size());
    sweep(runs, w->jobs, [&](const planned_run& r, const verdict& v) {
      all_held &= v.held;
      tallies[static_cast<std::size_t>(r.drill - w->drills.data())].add(v);
      bar.clear();
      if (!c.options.json && w->seeds > 1 && !v.held) {
        print(fmt::format("{}: {}\n", paint(style::bold, r.drill->name), r.drill->title));
        print_failure(r, v);
      }
      if (!c.options.json && w->seeds == 1) print_one(r, v);
      std::fflush(stdout);
      bar.step(!v.held);
      if (c.options.json) ended[&r] = v;
    });
  }
  if (c.options.json) {
    auto j = open_json("drill run");
    j.text("verdict", all_held ? "held" : "failed");
    j.begin_list("runs");
    for (const auto& r : runs) put(j, r, ended.at(&r));
    j.end();
    print_json(std::move(j));
  } else if (w->seeds > 1)
    print_tallies(w->drills, tallies);
  return all_held ? done : says_no;
}

}  // namespace

command run_command() {
  return {.name = "run",
          .group = "Drills",
          .summary = "play drills in simulation; 4 if one fails",
          .example = "floe drill run follower-killed\nfloe drill run my.drill --seeds 1000   # failing seeds, each with the line "
                     "that plays it again",
          .positionals = {{"DRILL", "a file, or the name of a shipped drill", false, true}},
          .options = {{"--all", nullptr, "all shipped drills"},
                      {"--sim", nullptr, "all nodes in this process, on virtual time (the only way so far)"},
                      {"--seed", "N", "the seed, or the first of several (that of the drill)"},
                      {"--seeds", "N", "play it with so many seeds, from 1 or --seed on, on all cores"},
                      {"--jobs", "N", "runs at a time (as many as cores)"},
                      {"--trace", "FILE", "write down everything that happens; equal for equal seeds"}},
          .run = run};
}

}  // namespace floe::cli::drill
