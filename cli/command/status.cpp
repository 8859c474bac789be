/// floe status: the cluster as one node sees it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/cluster_state.hpp"
#include "cli/command/all.hpp"
#include "cli/diagnosis.hpp"
#include "cli/last_recovery.hpp"
#include "cli/machine_rows.hpp"
#include "cli/output.hpp"
#include "cli/versions.hpp"
#include "cli/wrap.hpp"
#include "protocol/constants.hpp"

namespace floe::cli {
namespace {

using nlohmann::json;

/// Not for long: status is to answer at once.
constexpr duration others_patience = std::chrono::milliseconds(700);

/// The state of a node, and what all nodes say of it.
struct state_and_diagnosis : cluster_state {
  diagnosis found;
  /// However young a trouble is, and whoever tells of it: what has been seen is said, and is not healthy.
  bool all_healthy() const { return healthy() && !found.ill(); }
};

void print_nodes(const state_and_diagnosis& s) {
  table t({{"NODE", true}, {"ADDRESS"}, {"STATE"}, {""}, {"REASON"}});
  for (const auto& n : s.nodes.nodes) {
    std::string notes;
    if (s.leader == n.pnn) notes += "leader";
    if (n.pnn == s.node) notes += notes.empty() ? "asked" : ", asked";
    const bool deleted = n.flags & node_flag::deleted;
    t.row({std::to_string(number(n.pnn)),
           deleted ? "-" : address_port_text(n.addr),
           {node_state_text(n.flags), n.flags == 0 ? style::good
                                      : deleted    ? style::dim
                                                   : style::bad},
           {notes, style::dim},
           reason_of(s.found.troubles, n.pnn, reasons::without_databases)});
  }
  print(t.text());
}

void print_databases(const json& report) {
  table t({{"DATABASE"},
           {"KIND", false, true},
           {"STATE"},
           {"FOR", true},
           {"RECORDS HERE", true},
           {"LOCKS", true},
           {"WAITING", true},
           {"MIGRATIONS PENDING", true, true}});
  for (const auto& d : report.value("databases", json::array())) {
    auto state = d.value("state", "");
    std::ranges::replace(state, '_', ' ');  // in_transaction
    t.row({{d.value("name", ""), style::bold},
           d.value("kind", ""),
           {state, state == "thawed" ? style::good : style::warn},
           age_text(d.value("state_age_ms", 0.0)),
           std::to_string(d.value("records", 0ULL)),
           std::to_string(d.value("locks_held", 0ULL)),
           std::to_string(d.value("locks_waiting", 0ULL)),
           std::to_string(d.value("migrations_pending", 0ULL))});
  }
  if (!t.empty()) print("\n" + t.text());
}

/// What the leader's recovery is at, if this node leads one.
void print_recovery(const json& r) {
  if (!r.is_object()) return;
  print("\n");
  print_line(fmt::format("recovery run {}: {}, because {}", r.value("run", 0ULL),
                         r.value("phase", ""), r.value("why", "")));
  table t({{"DATABASE"}, {"PHASE"}, {"WAITS FOR NODES"}, {"RECORDS", true}});
  for (const auto& d : r.value("databases", json::array())) {
    std::string nodes;
    for (const auto& n : d.value("waiting_for", json::array()))
      nodes += (nodes.empty() ? "" : ", ") + n.dump();
    t.row({{d.value("name", ""), style::bold},
           {d.value("phase", ""), style::warn},
           nodes,
           std::to_string(d.value("records_pulled", 0ULL))});
  }
  print(t.text());
}

/// How this node stands to the cluster lock.
void print_lock(const json& lock) {
  if (!lock.is_object()) return;
  const auto state = lock.value("state", "");
  const auto detail = lock.value("detail", "");
  const bool bad = state == "failed" || state == "lost";
  print_line(fmt::format("cluster lock {}: {} for {}{}", lock.value("setting", ""),
                         paint(bad               ? style::bad
                               : state == "held" ? style::good
                                                 : style::plain,
                               state),
                         age_text(lock.value("age_ms", 0.0)), detail.empty() ? "" : ", " + detail));
}

void print_status(const state_and_diagnosis& s, const json& last) {
  const json report = json::parse(s.report, nullptr, false);
  const bool normal = s.mode == recovery_mode::normal;
  std::string mode = paint(normal ? style::good : style::bad, normal ? "NORMAL" : "ACTIVE");
  if (report.is_object()) mode += " for " + age_text(report.value("recovery_mode_age_ms", 0.0));
  print_line(fmt::format("recovery mode {}, generation {}, leader {}, node {} is {}", mode,
                         s.map.generation == generation::invalid
                             ? "INVALID"
                             : std::to_string(number(s.map.generation)),
                         s.leader ? std::to_string(number(*s.leader)) : "unknown", number(s.node),
                         runstate_text(static_cast<std::uint64_t>(s.run))));
  std::string map;
  for (const pnn p : s.map.slots) map += (map.empty() ? "" : " ") + std::to_string(number(p));
  print_line("records are tracked by nodes " + map);
  print_lock(report.is_object() ? report.value("cluster_lock", json()) : json());
  const auto nodes = std::ranges::count_if(
      s.nodes.nodes, [](const auto& n) { return !(n.flags & node_flag::deleted); });
  if (const auto versions =
          versions_text(versions_in(s.found.reports), static_cast<std::size_t>(nodes));
      !versions.empty())
    print_line(versions);
  print("\n");
  print_nodes(s);
  if (!report.is_object()) return;
  print_databases(report);
  print_recovery(report.value("recovery", json()));
  print_last_recovery(last);
  for (const auto& w : in_fewer_words(s.found.troubles)) {
    if (w.node && w.db.empty() && w.ill) continue;  // stands beside its node
    print("\n");
    print_line("warning: " + with_age(w), 2, style::warn);
    if (!w.next.empty()) print_line("  try: " + w.next, 4);
  }
}

void print_as_json(const state_and_diagnosis& s, const json& last) {
  const auto& troubles = s.found.troubles;
  const auto versions = versions_in(s.found.reports);
  auto j = open_json("status");
  j.number("node", number(s.node));
  j.boolean("healthy", s.all_healthy());
  j.number("generation", number(s.map.generation));
  j.text("recovery_mode", s.mode == recovery_mode::normal ? "NORMAL" : "ACTIVE");
  if (s.leader)
    j.number("leader", number(*s.leader));
  else
    j.null("leader");
  j.text("runstate", runstate_text(static_cast<std::uint64_t>(s.run)));
  j.begin_list("vnn_map");
  for (const pnn p : s.map.slots) j.number({}, number(p));
  j.end();
  j.begin_list("nodes");
  for (const auto& n : s.nodes.nodes) {
    j.begin_object();
    j.number("pnn", number(n.pnn));
    j.text("address", address_text(n.addr));
    j.number("port", n.addr.port);
    j.number("flags", n.flags);
    j.text("state", node_state_text(n.flags));
    j.text("reason", reason_of(troubles, n.pnn));
    if (const auto v = versions.find(n.pnn); v != versions.end())
      j.text("version", v->second);
    else
      j.null("version");
    j.end();
  }
  j.end();
  j.begin_list("warnings");
  for (const auto& t : troubles) j.text({}, t.text);
  j.end();
  j.begin_list("troubles");
  for (const auto& t : troubles) put_trouble(j, t);
  j.end();
  j.raw("last_recovery", last.dump());
  if (s.report.empty())
    j.null("report");
  else
    j.raw("report", s.report);
  print_json(std::move(j));
}

int show(context& c, pnn at, bool over) {
  auto& node = **c.node();
  auto seen = ask_cluster_state(node, at, c.patience());
  if (!seen) return c.fail("status", seen.error());
  state_and_diagnosis s{std::move(*seen), {}};
  s.found = diagnose(node, s.nodes, at, others_patience);
  if (!s.report.empty()) s.found.reports.insert_or_assign(at, s.report);
  const auto last = last_recovery(s.found.reports, s.leader.value_or(at));
  if (over && ::isatty(STDOUT_FILENO) == 1) std::fputs("\033[H\033[2J", stdout);
  if (machine_rows() && !c.options.json) {
    print_node_titles();
    for (const auto& n : s.nodes.nodes)
      if (!(n.flags & node_flag::deleted)) print_node_row(n, node.self());
    flush_output();
    return done;  // as CTDB's tool
  }
  if (c.options.json)
    print_as_json(s, last);
  else
    print_status(s, last);
  flush_output();
  return s.all_healthy() ? done : says_no;
}

int run_status(context& c, const arguments& a) {
  auto node = c.node();
  if (!node) return node.error();
  auto at = c.target();
  if (!at) return at.error();
  if (a.has("--watch")) c.takes_its_time();
  for (;;) {
    const int code = show(c, *at, a.has("--watch"));
    const bool seen = flush_output();
    if (!a.has("--watch") || !seen || (code != done && code != says_no)) return code;
    (void)(*node)->wait<int>([&](auto finished) {
      (*node)->loop().after(std::chrono::seconds(1), [finished] { finished(0); });
    });
  }
}

}  // namespace

command status_command() {
  return {.name = "status",
          .group = "Cluster",
          .summary =
              "the cluster as the node sees it: nodes, leader, databases, recovery; exit 4 if "
              "something is wrong",
          .example =
              "floe --base DIR status\nfloe --base DIR status --watch\nfloe --base DIR status "
              "--json | jq .healthy",
          .options = {{"--watch", nullptr,
                       "again every second, until it is interrupted or the node is gone"}},
          .run = run_status};
}

}  // namespace floe::cli
