/// floe recovery: looks into the leader's recovery, and holds it at a phase (for drills and tests).
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/cluster_state.hpp"
#include "cli/command/all.hpp"
#include "cli/drill/language/recovery_phases.hpp"
#include "cli/named_database.hpp"
#include "cli/output.hpp"
#include "cli/suggest.hpp"
#include "cli/wrap.hpp"

namespace floe::cli {
namespace {

using nlohmann::json;

/// The node that -n names; without it the leader, if one is known, else our own.
std::expected<pnn, exit_code> where(context& c) {
  auto node = c.node();
  if (!node) return std::unexpected(node.error());
  if (!c.options.node.empty()) return c.target();
  const auto leader = find_leader(**node, pnn::current, c.patience());
  return leader ? *leader : (*node)->self();
}

bool holds(const json& v) {
  return v.is_boolean() ? v.get<bool>() : v.is_string() && !v.get<std::string>().empty();
}

int set_hold(context& c, const std::string& phase) {
  auto at = where(c);
  if (!at) return at.error();
  const auto r = (*c.node())->control<control::set_hold_phase>(*at, {phase}, c.patience());
  if (!r) return c.fail(phase.empty() ? "recovery release" : "recovery hold", r.error());
  if (c.options.json) {
    auto j = open_json("recovery");
    j.number("node", number(*at));
    j.text("hold", phase);
    print_json(std::move(j));
  }
  return done;
}

/// What is wrong with it; empty: nothing. A hold at a phase that there is not would hold nothing, silently.
std::string wrong_phase(std::string_view text) {
  const auto at = std::min(text.find('@'), text.size());
  const auto phase = text.substr(0, at);
  const auto &of_database = drill::database_phases(), &of_cluster = drill::cluster_phases();
  if (std::ranges::find(of_database, phase) != of_database.end()) return {};
  if (std::ranges::find(of_cluster, phase) != of_cluster.end())
    return at < text.size() ? fmt::format("{} is no phase of a single database", phase)
                            : std::string();
  auto names = of_cluster;
  names.insert(names.end(), of_database.begin(), of_database.end());
  const auto near = closest(phase, names);
  return near ? fmt::format("no such phase: {}; did you mean {}?", phase, *near)
              : fmt::format("no such phase: {}; a recovery has {}, and of each database {}", phase,
                            fmt::join(of_cluster, ", "), fmt::join(of_database, ", "));
}

int hold(context& c, const arguments& a) {
  const auto& text = a["PHASE"];
  if (const auto wrong = wrong_phase(text); !wrong.empty()) return c.misused(wrong);
  auto node = c.node();
  if (!node) return node.error();
  if (const auto at = text.find('@'); at != std::string::npos) {
    const auto db = find_named_database(**node, text.substr(at + 1), c.patience());
    if (!db) return c.fail("recovery hold", db.error());
  }
  return set_hold(c, text);
}
int release(context& c, const arguments&) { return set_hold(c, ""); }

/// What is held, and all of the recovery.
void put(pnn leader, const json& recovery, const json& databases) {
  auto j = open_json("recovery");
  j.number("node", number(leader));
  j.begin_list("held");
  const auto held = [&](std::string_view db, const json& step) {
    if (!step.is_object() || !holds(step.value("held", json()))) return;
    j.begin_object();
    j.text("db", db);
    j.text("phase", step.value("phase", ""));
    j.end();
  };
  held("", recovery);
  for (const auto& d : databases) held(d.value("name", ""), d);
  j.end();
  j.raw("recovery", recovery.dump());
  print_json(std::move(j));
}

std::vector<cell> row_of(const json& d, std::int64_t now_us) {
  std::string nodes;
  for (const auto& n : d.value("waiting_for", json::array()))
    nodes += (nodes.empty() ? "" : ", ") + n.dump();
  return {{d.value("name", ""), style::bold},
          d.value("phase", ""),
          {holds(d.value("held", json())) ? "held" : "", style::warn},
          nodes,
          fmt::format("{:.1f} s", static_cast<double>(now_us - d.value("since_us", now_us)) / 1e6),
          std::to_string(d.value("records_pulled", 0ULL)),
          std::to_string(d.value("records_merged", 0ULL)),
          std::to_string(d.value("records_pushed", 0ULL)),
          d.contains("left_ms")
              ? fmt::format("about {:.1f} s ({:.0f} %)", d.value("left_ms", 0.0) / 1000,
                            100 * d.value("share", 0.0))
              : ""};
}

void print_recovery(const json& recovery, const json& databases, std::int64_t now_us) {
  print_line(fmt::format(
      "run {}, phase {}{}, because {}", recovery.value("run", 0ULL), recovery.value("phase", ""),
      holds(recovery.value("held", json())) ? " (held)" : "", recovery.value("why", "")));
  table t({{"DATABASE"},
           {"PHASE"},
           {""},
           {"WAITS FOR NODES"},
           {"SINCE", true},
           {"PULLED", true, true},
           {"MERGED", true, true},
           {"PUSHED", true, true},
           {"LEFT"}});
  for (const auto& d : databases) t.row(row_of(d, now_us));
  print(t.text());
  for (const auto& f : recovery.value("failures", json::array()))
    if (f.is_string()) print_line("failure: " + f.get<std::string>(), 2, style::bad);
}

int show(context& c, const arguments&) {
  auto at = where(c);
  if (!at) return at.error();
  const auto r = (*c.node())->control<control::get_node_status>(*at, {}, c.patience());
  if (!r) return c.fail("recovery status", r.error());
  const auto report = json::parse(r->value.value, nullptr, false);
  const json recovery = report.is_object() ? report.value("recovery", json()) : json();
  const json databases =
      recovery.is_object() ? recovery.value("databases", json::array()) : json::array();
  if (c.options.json)
    put(*at, recovery, databases);
  else if (!recovery.is_object())
    print_line(fmt::format("node {} leads no recovery", number(*at)));
  else
    print_recovery(recovery, databases, report.value("now_us", std::int64_t{0}));
  return done;
}

}  // namespace

command recovery_command() {
  static const std::string phases = fmt::format(
      "PHASE or PHASE@DB, of {}; of the recovery itself {}",
      fmt::join(drill::database_phases(), " "), fmt::join(drill::cluster_phases(), " "));
  command hold_it{.name = "hold",
                  .group = "",
                  .summary = "make recoveries wait when a database comes to this phase",
                  .example = "floe --base DIR recovery hold push@locking.tdb",
                  .positionals = {{"PHASE", phases.c_str()}},
                  .run = hold};
  command release_it{.name = "release",
                     .group = "",
                     .summary = "let what is held go on",
                     .example = "floe --base DIR recovery release",
                     .run = release};
  command show_it{.name = "status",
                  .group = "",
                  .summary = "how far the leader's recovery is",
                  .example = "floe --base DIR recovery status --json | jq .held",
                  .run = show};
  return {.name = "recovery",
          .group = "Cluster",
          .summary = "look into the leader's recovery, hold it at a phase",
          .example = "floe --base DIR recovery hold commit\nfloe --base DIR recovery release",
          .subcommands = {hold_it, release_it, show_it}};
}

}  // namespace floe::cli
