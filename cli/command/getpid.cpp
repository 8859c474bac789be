/// floe getpid: the node's process.
#include <fmt/format.h>

#include "cli/ask_nodes.hpp"
#include "cli/command/all.hpp"
#include "cli/output.hpp"

namespace floe::cli {
namespace {

int run_getpid(context& c, const arguments&) {
  auto nodes = c.targets();
  if (!nodes) return nodes.error();
  const auto all = (*c.node())->control_many(*nodes, control::get_pid, {}, c.patience());
  auto j = open_json("getpid");
  j.begin_list("nodes");
  for (const auto& one : all) {
    if (!one.reply) continue;
    j.begin_object();
    j.number("node", number(one.node));
    j.integer("pid", one.reply->status);
    j.end();
    if (!c.options.json)
      print(all.size() > 1 ? fmt::format("node {}: {}\n", number(one.node), one.reply->status)
                           : fmt::format("{}\n", one.reply->status));
  }
  j.end();
  if (c.options.json) print_json(std::move(j));
  return report_failures(c, "getpid", all);
}

}  // namespace

command getpid_command() {
  return {.name = "getpid",
          .group = "Node",
          .summary = "process id of the node",
          .example = "floe --base DIR getpid -n 1",
          .run = run_getpid};
}

}  // namespace floe::cli
