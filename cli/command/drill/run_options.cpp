#include "cli/command/drill/run_options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "cli/command/drill/subcommands.hpp"
#include "cli/command/drill/testbed_options.hpp"

namespace floe::cli::drill {

std::expected<run_options, std::string> read_run_options(const arguments& a) {
  run_options w;
  w.jobs = std::max(1U, std::thread::hardware_concurrency());
  const auto number =
      [&](const char* name, std::uint64_t least,
          std::uint64_t most) -> std::expected<std::optional<std::uint64_t>, std::string> {
    if (!a.has(name)) return std::nullopt;
    const auto n = parse_count(a[name]);
    if (!n || *n < least || *n > most)
      return std::unexpected(
          fmt::format("{} takes a number from {} to {}: {}", name, least, most, a[name]));
    return n;
  };
  for (const auto& [name, most] : {std::pair{"--seed", UINT64_MAX / 2},
                                   {"--seeds", std::uint64_t{1'000'000}},
                                   {"--jobs", std::uint64_t{1000}}}) {
    const auto n = number(name, 1, most);
    if (!n) return std::unexpected(n.error());
    if (!*n) continue;
    if (name == std::string_view("--seed")) w.first_seed = **n;
    if (name == std::string_view("--seeds")) w.seeds = **n;
    if (name == std::string_view("--jobs")) w.jobs = **n;
  }
  w.trace = a["--trace"];
  w.verbose = a.has("--verbose");
  w.narrate = a.has("--narrate");
  w.files = {{.report = a["--report"], .perfetto = a["--perfetto"], .record = a["--record"]},
             a["--junit"]};
  auto names = a.all("DRILL");
  if (a.has("--all"))
    for (const auto& d : shipped_drills()) names.emplace_back(d.name);
  if (names.empty())
    return std::unexpected("expected a drill: a file, the name of a shipped one, or --all");
  for (const auto& n : names) {
    auto s = load(n);
    if (!s) return std::unexpected(s.error());
    w.drills.push_back(std::move(*s));
  }
  const auto on = read_testbed_choice(a);
  if (!on) return std::unexpected(on.error());
  w.on = *on;
  if (w.on.real && !a.has("--jobs")) w.jobs = 1;
  for (auto& d : w.drills) {
    d.patience = w.on.patience;
    d.bound = std::chrono::duration_cast<duration>(d.bound * d.patience);
  }
  if (!w.trace.empty() && w.drills.size() * w.seeds != 1)
    return std::unexpected("--trace takes one drill and one seed");
  for (const auto& [given, name] : {std::pair{w.verbose, "--verbose"}, {w.narrate, "--narrate"}})
    if (given && w.drills.size() * w.seeds != 1)
      return std::unexpected(fmt::format("{} takes one drill and one seed", name));
  return w;
}

std::vector<planned_run> run_options::runs() const {
  std::vector<planned_run> all;
  for (const auto& d : drills)
    for (std::uint64_t i = 0; i < seeds; ++i)
      all.push_back({.drill = &d,
                     .seed = first_seed.value_or(seeds > 1 ? 1 : d.seed) + i,
                     .trace = trace,
                     .on = on});
  if (narrate) all.front().narrated = planned_run::narration::spoken;
  if (narrate && !verbose) return all;
  // real nodes take real time: people want to see that something happens, in a log as well
  const bool one_by_one = all.size() == 1 || (on.real && jobs == 1);
  if (!one_by_one) return all;
  for (auto& r : all)
    r.follow = verbose                   ? following::lines
               : ::isatty(STDERR_FILENO) ? following::picture
               : on.real                 ? following::lines
                                         : following::nothing;
  return all;
}

}  // namespace floe::cli::drill
