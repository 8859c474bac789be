/// floe cluster version: which program each node of the cluster runs and which feature level they use together, for a rolling
/// upgrade: one node after the other.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/cluster_state.hpp"
#include "cli/command/cluster_version.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/wrap.hpp"
#include "protocol/constants.hpp"
#include "protocol/rules/feature_level.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/tunable_value.hpp"

namespace floe::cli {
namespace {

struct levels {
  std::vector<std::pair<pnn, std::uint32_t>> of;  ///< of those that answer
  std::uint32_t pinned = 0;                       ///< by the leader's FeatureLevel
  std::uint32_t lowest() const {
    return of.empty() ? 0 : std::ranges::min(of, {}, &std::pair<pnn, std::uint32_t>::second).second;
  }
  std::uint32_t used() const { return used_feature_level(lowest(), pinned); }
};

levels ask_levels(blocking_client& c, const std::vector<pnn>& nodes, duration patience) {
  levels all;
  for (const auto& one : c.control_many(nodes, control::get_capabilities, {}, patience))
    if (const auto bits = decode_answer<control::get_capabilities>(one.reply, one.node))
      all.of.emplace_back(one.node, feature_level_of(bits->value));
  // who leads decides; a program before the tunable, and a ctdbd, pin nothing
  const auto leader =
      find_leader(c, pnn::current, std::min<duration>(patience, std::chrono::seconds(2)));
  if (!leader) return all;
  const auto pinned = c.control<control::get_tunable>(*leader, {.name = "FeatureLevel"}, patience);
  if (pinned) all.pinned = pinned->value;
  return all;
}

/// Why not all that this program can is used; empty if it is.
std::string what_holds_back(const levels& l) {
  if (l.used() >= newest_feature_level) return {};
  if (l.pinned != 0 && l.pinned <= l.lowest())
    return "the leader's FeatureLevel allows no more; floe setvar FeatureLevel 0 -n all";
  std::string nodes;
  for (const auto& [n, level] : l.of)
    if (level == l.lowest()) nodes += (nodes.empty() ? "" : ", ") + std::to_string(number(n));
  return fmt::format("node {} has no more", nodes);
}

void print_levels(const levels& l) {
  const auto why = what_holds_back(l);
  print_line(fmt::format("feature level {} is used{}{}", l.used(), why.empty() ? "" : ": ", why));
  for (const auto& f : feature_levels)
    if (f.number > l.used()) print_line(fmt::format("  not used: {} ({})", f.brings, f.number), 4);
}

/// "floe 0.2.0"; the first release did not tell its number, and a ctdbd does not know the question.
std::string version_of(const node_reply& one) {
  if (!one.reply) return one.reply.error().code == client_errc::refused ? "ctdbd" : "";
  const auto answer = decode_answer<control::get_node_status>(one.reply, one.node);
  if (!answer) return "ctdbd";
  const auto report = nlohmann::json::parse(std::string(answer->value.value), nullptr, false);
  if (!report.is_object()) return {};
  return "floe " + report.value("version", "0.1.0 or older");
}

int run_cluster_version(context& c, const arguments&) {
  auto node = c.node();
  if (!node) return node.error();
  const auto map = (*node)->control<control::get_nodemap>(pnn::current, {}, c.patience());
  if (!map) return c.fail("cluster version", map.error());
  std::vector<pnn> connected, away;
  for (const auto& n : map->value.nodes)
    if (!(n.flags & node_flag::deleted))
      (n.flags & node_flag::disconnected ? away : connected).push_back(n.pnn);
  std::set<std::string> versions;
  const auto level = ask_levels(**node, connected, c.patience());
  table t({{"NODE", true}, {"RUNS"}, {"LEVEL", true}});
  auto j = open_json("cluster version");
  j.begin_list("nodes");
  const auto row = [&](pnn p, const std::string& version, const char* otherwise) {
    j.begin_object();
    j.number("node", number(p));
    version.empty() ? j.null("version") : j.text("version", version);
    const auto own = std::ranges::find(level.of, p, &std::pair<pnn, std::uint32_t>::first);
    const bool told = own != level.of.end();
    told ? j.number("level", own->second) : j.null("level");
    j.end();
    t.row({std::to_string(number(p)),
           version.empty() ? cell(otherwise, style::warn) : cell(version),
           told ? std::to_string(own->second) : ""});
    if (!version.empty()) versions.insert(version);
  };
  for (const auto& one :
       (*node)->control_many(connected, control::get_node_status, {}, c.patience()))
    row(one.node, version_of(one), "does not answer");
  for (const pnn p : away) row(p, "", "not connected");
  j.end();
  j.boolean("same", versions.size() == 1 && away.empty());
  j.number("level", level.used());
  j.number("pinned_level", level.pinned);
  j.number("newest_level", newest_feature_level);
  if (c.options.json) {
    print_json(std::move(j));
    return done;
  }
  print(t.text());
  print_levels(level);
  return done;
}

}  // namespace

command cluster_version_command() {
  return {
      .name = "version",
      .group = "",
      .summary = "which program each node of the cluster runs, and the feature level that all use",
      .example = "floe cluster version --json | jq .same",
      .run = run_cluster_version};
}

}  // namespace floe::cli
