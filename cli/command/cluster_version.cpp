/// floe cluster version: which program each node of the cluster runs, for a rolling upgrade: one node after the other.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "cli/ask_nodes.hpp"
#include "cli/command/cluster_version.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/node_map.hpp"

namespace floe::cli {
namespace {

/// "floe 0.1.0"; a ctdbd does not know the question.
std::string version_of(const node_reply& one) {
  if (!one.reply) return one.reply.error().code == client_errc::refused ? "ctdbd" : "";
  const auto answer = decode_answer<control::get_node_status>(one.reply, one.node);
  if (!answer) return "ctdbd";
  const auto report = nlohmann::json::parse(std::string(answer->value.value), nullptr, false);
  if (!report.is_object()) return {};
  return "floe " + report.value("version", "before 0.1.0");
}

int run(context& c, const arguments&) {
  auto node = c.node();
  if (!node) return node.error();
  const auto map = (*node)->control<control::get_nodemap>(pnn::current, {}, c.patience());
  if (!map) return c.fail("cluster version", map.error());
  std::vector<pnn> connected, away;
  for (const auto& n : map->value.nodes)
    if (!(n.flags & node_flag::deleted))
      (n.flags & node_flag::disconnected ? away : connected).push_back(n.pnn);
  std::set<std::string> versions;
  table t({{"NODE", true}, {"RUNS"}});
  auto j = open_json("cluster version");
  j.begin_list("nodes");
  const auto row = [&](pnn p, const std::string& version, const char* otherwise) {
    j.begin_object();
    j.number("node", number(p));
    version.empty() ? j.null("version") : j.text("version", version);
    j.end();
    t.row({std::to_string(number(p)),
           version.empty() ? cell(otherwise, style::warn) : cell(version)});
    if (!version.empty()) versions.insert(version);
  };
  for (const auto& one : ask_each(**node, connected, control::get_node_status, {}, c.patience()))
    row(one.node, version_of(one), "does not answer");
  for (const pnn p : away) row(p, "", "not connected");
  j.end();
  j.boolean("same", versions.size() == 1 && away.empty());
  if (c.options.json)
    print_json(std::move(j));
  else
    print(t.text());
  return done;
}

}  // namespace

command cluster_version_command() {
  return {.name = "version",
          .group = "",
          .summary =
              "which program each node of the cluster runs, as the node that is asked knows them",
          .example = "floe cluster version --json | jq .same",
          .run = run};
}

}  // namespace floe::cli
