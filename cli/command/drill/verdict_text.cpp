#include "cli/command/drill/verdict_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/command/drill/unavailable_text.hpp"
#include "cli/json_list.hpp"
#include "cli/output.hpp"
#include "cli/wrap.hpp"

namespace floe::cli::drill {

namespace {

void print_kept(const verdict& v) {
  if (!v.kept.empty()) print_text(fmt::format("        the nodes' files: {}\n", v.kept));
}

}  // namespace

void print_failure(const planned_run& r, const verdict& v) {
  print_text(fmt::format("{}  seed {}: {}\n", paint(style::bad, "FAILED"), v.seed, v.reason));
  for (const auto& c : v.checks) {
    constexpr std::size_t shown = 3;
    for (std::size_t i = 0; i < std::min(shown, c.broken.size()); ++i)
      print_text(fmt::format("          {}: {}\n", c.checker, c.broken[i]));
    if (c.broken.size() > shown)
      print_text(fmt::format("          {}: and {} more\n", c.checker, c.broken.size() - shown));
  }
  for (const auto& one : v.circle) print_text(fmt::format("          in a circle: {}\n", one));
  print_text(fmt::format("        again: floe drill run {} --seed {}{} --trace trace.txt\n",
                         r.drill->name, v.seed, option_text(r.on)));
  print_kept(v);
}

void print_one(const planned_run& r, const verdict& v) {
  print_text(fmt::format("{}: {}\n", paint(style::bold, r.drill->name), r.drill->title));
  if (!v.held) {
    print_failure(r, v);
    return print_unavailable(v);
  }
  print_text(
      fmt::format("{}  seed {}: {} in {}; {} operations, {} writes, {} lost with a lost node\n",
                  paint(style::good, "held"), v.seed, age_text(v.virtual_ms), age_text(v.real_ms),
                  v.operations, v.writes, v.losses));
  if (v.records_kept + v.records_lost > 0)
    print_text(fmt::format("      nodes that came back kept {} records and lost {} to the others\n",
                           v.records_kept, v.records_lost));
  if (v.longest_wait_ms > 0)
    print_text(fmt::format("      longest wait of a client: {} ({})\n", age_text(v.longest_wait_ms),
                           v.longest_wait));
  if (v.longest_pause_ms > 0)
    print_text(fmt::format("      longest pause of a database: {} ({})\n",
                           age_text(v.longest_pause_ms), v.longest_pause));
  print_unavailable(v);
  print_kept(v);
}

void put_story(wire::json_writer& j, const verdict& v) {
  put_objects(j, "steps", v.told, [&j](const told_step& t) {
    j.number("part", t.part);
    j.text("line", t.text);
    j.boolean("held", t.held);
    j.real("ms", t.ms);
  });
  j.raw("timeline", v.timeline);
}

void put_members(wire::json_writer& j, const planned_run& r, const verdict& v) {
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
  j.number("records_kept", v.records_kept);
  j.number("records_lost", v.records_lost);
  j.real("longest_wait_ms", v.longest_wait_ms);
  j.real("longest_pause_ms", v.longest_pause_ms);
  put_unavailable(j, v);
  if (!v.kept.empty()) j.text("kept", v.kept);
  j.begin_list("circle");
  for (const auto& one : v.circle) j.text({}, one);
  j.end();
  if (!v.told.empty()) put_story(j, v);
  j.begin_list("checks");
  for (const auto& c : v.checks) {
    j.begin_object();
    j.text("name", c.checker);
    j.number("explained", c.explained);
    j.begin_list("because");
    for (const auto& [cause, times] : c.causes) {
      j.begin_object();
      j.text("cause", cause);
      j.number("times", times);
      j.end();
    }
    j.end();
    j.begin_list("broken");
    for (const auto& b : c.broken) j.text({}, b);
    j.end();
    j.end();
  }
  j.end();
}

void print_tallies(const std::vector<script>& drills, const std::vector<tally>& tallies) {
  table t({{"DRILL"},
           {"SEEDS", true},
           {"FAILED", true},
           {"TIME EACH", true},
           {"PLAYED EACH", true},
           {"WRITES", true},
           {"LOST", true},
           {"WORST WAIT", true},
           {"WORST PAUSE", true}});
  for (std::size_t i = 0; i < tallies.size(); ++i) {
    const auto& s = tallies[i];
    const auto n = static_cast<double>(std::max<std::size_t>(1, s.runs));
    t.row({drills[i].name,
           std::to_string(s.runs),
           {std::to_string(s.failed), s.failed ? style::bad : style::plain},
           age_text(s.real_ms / n),
           age_text(s.virtual_ms / n),
           std::to_string(s.writes),
           std::to_string(s.losses),
           age_text(s.worst_wait_ms),
           age_text(s.worst_pause_ms)});
  }
  print_text(t.text());
}

}  // namespace floe::cli::drill
