/// floe drill: rehearsals of faults. A drill is a file of a few lines; it is played with whole nodes
/// on virtual time, and everything that happens follows from its seed.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/drill/checker/checker.hpp"
#include "cli/drill/library.hpp"
#include "cli/drill/script.hpp"
#include "cli/drill/sweep.hpp"
#include "cli/output.hpp"
#include "cli/suggest.hpp"

namespace floe::cli {
namespace {

using namespace drill;

const shipped_drill* find_shipped(std::string_view name) {
  for (const auto& d : shipped_drills())
    if (d.name == name) return &d;
  return nullptr;
}

/// A shipped drill by its name, or a file.
std::expected<script, std::string> load(const std::string& name) {
  if (const auto* d = find_shipped(name)) return read_script(name, d->text);
  std::ifstream in(name);
  if (!in) {
    std::vector<std::string_view> names;
    for (const auto& d : shipped_drills()) names.push_back(d.name);
    const auto near = closest(name, names);
    return std::unexpected(fmt::format("{}: no such file, and no drill of that name is shipped{}", name,
                                       near ? fmt::format("; did you mean {}?", *near) : "; `floe drill list` shows them"));
  }
  std::stringstream text;
  text << in.rdbuf();
  return read_script(name, text.str());
}

struct wishes {
  std::vector<script> drills;
  std::optional<std::uint64_t> first_seed;
  std::uint64_t seeds = 1;
  std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
  std::string trace;
};

std::expected<wishes, std::string> read_wishes(const arguments& a) {
  wishes w;
  const auto number = [&](const char* name, std::uint64_t least, std::uint64_t most) -> std::expected<std::optional<std::uint64_t>, std::string> {
    if (!a.has(name)) return std::nullopt;
    const auto n = parse_count(a[name]);
    if (!n || *n < least || *n > most)
      return std::unexpected(fmt::format("{} takes a number from {} to {}: {}", name, least, most, a[name]));
    return n;
  };
  for (const auto& [name, most] : {std::pair{"--seed", UINT64_MAX / 2}, {"--seeds", std::uint64_t{1'000'000}}, {"--jobs", std::uint64_t{1000}}}) {
    const auto n = number(name, 1, most);
    if (!n) return std::unexpected(n.error());
    if (!*n) continue;
    if (name == std::string_view("--seed")) w.first_seed = **n;
    if (name == std::string_view("--seeds")) w.seeds = **n;
    if (name == std::string_view("--jobs")) w.jobs = **n;
  }
  w.trace = a["--trace"];
  auto names = a.all("DRILL");
  if (a.has("--all"))
    for (const auto& d : shipped_drills()) names.emplace_back(d.name);
  if (names.empty()) return std::unexpected("expected a drill: a file, the name of a shipped one, or --all");
  for (const auto& n : names) {
    auto s = load(n);
    if (!s) return std::unexpected(s.error());
    w.drills.push_back(std::move(*s));
  }
  if (!w.trace.empty() && w.drills.size() * w.seeds != 1) return std::unexpected("--trace takes one drill and one seed");
  return w;
}

/// One line that is redrawn, on a terminal.
class progress_line {
 public:
  progress_line(bool wanted, std::size_t all) : on_(wanted && ::isatty(STDERR_FILENO) && all > 1), all_(all) {}
  ~progress_line() { clear(); }
  void clear() {
    if (on_) std::fputs("\r\x1b[K", stderr);
  }
  void step(bool failed) {
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

 private:
  bool on_;
  std::size_t all_, done_ = 0, failed_ = 0;
};

std::string ms_text(double ms) { return age_text(ms); }

void print_failure(const planned_run& r, const verdict& v) {
  print(fmt::format("{}  seed {}: {}\n", paint(style::bad, "FAILED"), v.seed, v.reason));
  for (const auto& c : v.checks) {
    constexpr std::size_t shown = 3;
    for (std::size_t i = 0; i < std::min(shown, c.broken.size()); ++i)
      print(fmt::format("          {}: {}\n", c.checker, c.broken[i]));
    if (c.broken.size() > shown) print(fmt::format("          {}: and {} more\n", c.checker, c.broken.size() - shown));
  }
  print(fmt::format("        again: floe drill run {} --seed {} --trace trace.txt\n", r.drill->name, v.seed));
}

void print_one(const planned_run& r, const verdict& v) {
  print(fmt::format("{}: {}\n", paint(style::bold, r.drill->name), r.drill->title));
  if (!v.held) return print_failure(r, v);
  print(fmt::format("{}  seed {}: {} in {}; {} operations, {} writes, {} lost with a lost node\n", paint(style::good, "held"), v.seed,
                    ms_text(v.virtual_ms), ms_text(v.real_ms), v.operations, v.writes, v.losses));
  if (v.longest_wait_ms > 0) print(fmt::format("      longest wait of a client: {} ({})\n", ms_text(v.longest_wait_ms), v.longest_wait));
  if (v.longest_pause_ms > 0) print(fmt::format("      longest pause of a database: {} ({})\n", ms_text(v.longest_pause_ms), v.longest_pause));
}

/// All seeds of one drill in a line.
struct tally {
  std::size_t runs = 0, failed = 0;
  double real_ms = 0, virtual_ms = 0, worst_pause_ms = 0, worst_wait_ms = 0;
  std::uint64_t writes = 0, losses = 0;
  void add(const verdict& v) {
    ++runs;
    failed += !v.held;
    real_ms += v.real_ms;
    virtual_ms += v.virtual_ms;
    worst_pause_ms = std::max(worst_pause_ms, v.longest_pause_ms);
    worst_wait_ms = std::max(worst_wait_ms, v.longest_wait_ms);
    writes += v.writes;
    losses += v.losses;
  }
};

void put(wire::json_writer& j, const planned_run& r, const verdict& v) {
  j.begin_object();
  j.text("drill", r.drill->name);
  j.number("seed", v.seed);
  j.text("verdict", v.held ? "held" : "failed");
  if (v.held)
    j.null("reason");
  else
    j.text("reason", v.reason);
  j.real("virtual_ms", v.virtual_ms);
  j.real("real_ms", v.real_ms);
  j.number("operations", v.operations);
  j.number("writes", v.writes);
  j.number("losses", v.losses);
  j.real("longest_wait_ms", v.longest_wait_ms);
  j.real("longest_pause_ms", v.longest_pause_ms);
  j.begin_list("checks");
  for (const auto& c : v.checks) {
    j.begin_object();
    j.text("name", c.checker);
    j.number("explained", c.explained);
    j.begin_list("broken");
    for (const auto& b : c.broken) j.text({}, b);
    j.end();
    j.end();
  }
  j.end();
  j.end();
}

int run(context& c, const arguments& a) {
  const auto w = read_wishes(a);
  if (!w) return c.misused("drill run: " + w.error());
  std::vector<planned_run> runs;
  for (const auto& d : w->drills)
    for (std::uint64_t i = 0; i < w->seeds; ++i)
      runs.push_back({&d, w->first_seed.value_or(w->seeds > 1 ? 1 : d.seed) + i, w->trace});
  std::map<const planned_run*, verdict> ended;
  std::vector<tally> tallies(w->drills.size());
  bool all_held = true;
  {
    progress_line bar(!c.options.json, runs.size());
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
  } else if (w->seeds > 1) {
    table t({{"DRILL"}, {"SEEDS", true}, {"FAILED", true}, {"TIME EACH", true}, {"PLAYED EACH", true}, {"WRITES", true}, {"LOST", true},
             {"WORST WAIT", true}, {"WORST PAUSE", true}});
    for (std::size_t i = 0; i < tallies.size(); ++i) {
      const auto& s = tallies[i];
      const auto n = static_cast<double>(std::max<std::size_t>(1, s.runs));
      t.row({w->drills[i].name, std::to_string(s.runs), {std::to_string(s.failed), s.failed ? style::bad : style::plain},
             ms_text(s.real_ms / n), ms_text(s.virtual_ms / n), std::to_string(s.writes), std::to_string(s.losses),
             ms_text(s.worst_wait_ms), ms_text(s.worst_pause_ms)});
    }
    print(t.text());
  }
  return all_held ? done : says_no;
}

int list(context& c, const arguments&) {
  table t({{"DRILL"}, {"STORY"}});
  auto j = open_json("drill list");
  j.begin_list("drills");
  for (const auto& d : shipped_drills()) {
    const auto s = read_script(std::string(d.name), d.text);
    const auto title = s ? s->title : s.error();
    t.row({std::string(d.name), title});
    j.begin_object();
    j.text("name", d.name);
    j.text("title", title);
    j.end();
  }
  j.end();
  if (c.options.json)
    print_json(std::move(j));
  else
    print(t.text());
  return done;
}

int show(context& c, const arguments& a) {
  const auto* d = find_shipped(a["DRILL"]);
  if (!d) return c.misused("drill show: no drill of that name is shipped: " + a["DRILL"]);
  if (c.options.json) {
    auto j = open_json("drill show");
    j.text("name", d->name);
    j.text("text", d->text);
    print_json(std::move(j));
  } else
    print(d->text);
  return done;
}

int check(context& c, const arguments& a) {
  for (const auto& name : a.all("DRILL"))
    if (const auto s = load(name); !s) return c.misused("drill check: " + s.error());
  if (c.options.json) {
    auto j = open_json("drill check");
    j.number("drills", a.all("DRILL").size());
    print_json(std::move(j));
  }
  return done;
}

constexpr const char* grammar =
    "A drill is a text: comments (#) tell the story, then one verb per line. Values with spaces stand in quotes.\n"
    "NODE is a number, leader, follower, any (a running one, by the seed), it (the one named last), or a name given\n"
    "with `let`; NODES are several with commas, or all. When the last line is done, all faults are undone, everybody\n"
    "comes back, and the checks below are made.\n";

std::string usage_of(const verb& v) {
  return fmt::format("{}{}{}{}", v.of_client ? "NAME " : "", v.name, *v.arguments ? " " : "", v.arguments);
}

void print_group(const char* group, const std::vector<std::pair<std::string, const char*>>& rows) {
  print(fmt::format("\n{}\n", paint(style::bold, group)));
  for (const auto& [usage, summary] : rows) print(fmt::format("  {}\n      {}\n", usage, summary));
}

int help(context& c, const arguments& a) {
  const auto& wanted = a["VERB"];
  if (c.options.json) {
    auto j = open_json("drill help");
    j.begin_list("verbs");
    for (const auto& v : all_verbs()) {
      j.begin_object();
      j.text("name", v.name);
      j.text("group", v.group);
      j.text("usage", usage_of(v));
      j.text("summary", v.summary);
      j.text("example", v.example);
      j.end();
    }
    j.end();
    j.begin_list("conditions");
    for (const auto& x : all_conditions()) {
      j.begin_object();
      j.text("form", x.form);
      j.text("summary", x.summary);
      j.text("example", x.example);
      j.end();
    }
    j.end();
    j.begin_list("checks");
    for (const auto& x : all_checkers()) {
      j.begin_object();
      j.text("name", x.name);
      j.text("promise", x.promise);
      j.end();
    }
    j.end();
    print_json(std::move(j));
    return done;
  }
  if (!wanted.empty()) {
    bool found = false;
    for (const auto& v : all_verbs())
      if (wanted == v.name) {
        print(fmt::format("{}\n    {}\n\nExample:\n    {}\n", usage_of(v), v.summary, v.example));
        found = true;
      }
    if (!found) return c.misused(fmt::format("drill help: no such verb: {}; `floe drill help` lists all", wanted));
    return done;
  }
  print(grammar);
  std::vector<std::string> groups;
  for (const auto& v : all_verbs())
    if (std::ranges::find(groups, v.group) == groups.end()) groups.emplace_back(v.group);
  for (const auto& g : groups) {
    std::vector<std::pair<std::string, const char*>> rows;
    for (const auto& v : all_verbs())
      if (g == v.group) rows.emplace_back(usage_of(v), v.summary);
    print_group(g.c_str(), rows);
  }
  std::vector<std::pair<std::string, const char*>> conditions, checks;
  for (const auto& x : all_conditions()) conditions.emplace_back(x.form, x.summary);
  for (const auto& x : all_checkers()) checks.emplace_back(x.name, x.promise);
  print_group("Conditions", conditions);
  print_group("Always checked", checks);
  return done;
}

}  // namespace

command drill_command() {
  command run_it{.name = "run",
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
  command list_them{.name = "list", .group = "Drills", .summary = "the shipped drills", .example = "floe drill list", .run = list};
  command show_it{.name = "show",
                  .group = "Drills",
                  .summary = "print a shipped drill",
                  .example = "floe drill show deadlock-of-2015 > my.drill",
                  .positionals = {{"DRILL", "its name"}},
                  .run = show};
  command check_it{.name = "check",
                   .group = "Drills",
                   .summary = "read drills without playing them; 2 if one has a mistake",
                   .example = "floe drill check my.drill",
                   .positionals = {{"DRILL", "a file, or the name of a shipped drill", true, true}},
                   .run = check};
  command help_me{.name = "help",
                  .group = "Drills",
                  .summary = "the language of drills: all verbs, or one",
                  .example = "floe drill help\nfloe drill help kill",
                  .positionals = {{"VERB", "only this one", false}},
                  .run = help};
  return {.name = "drill",
          .group = "Drills",
          .summary = "rehearse faults: scripts of a few lines, played in simulation, replayed from a seed",
          .example = "floe drill list\nfloe drill run --all\nfloe drill run my.drill --seeds 100",
          .subcommands = {run_it, list_them, show_it, check_it, help_me}};
}

}  // namespace floe::cli
