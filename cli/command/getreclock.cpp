/// floe getreclock: the cluster lock's setting, as the node has read it.
#include <fmt/format.h>

#include "cli/ask_nodes.hpp"
#include "cli/command/all.hpp"
#include "cli/output.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

int run_getreclock(context& c, const arguments&) {
  const auto nodes = c.targets();
  if (!nodes) return nodes.error();
  const auto all = (*c.node())->control_many(*nodes, control::get_reclock_file, {}, c.patience());
  auto j = open_json("getreclock");
  j.begin_list("nodes");
  for (const auto& one : all) {
    const auto lock = decode_answer<control::get_reclock_file>(one.reply, one.node);
    if (!lock) continue;
    const std::string text(lock->value.value);
    j.begin_object();
    j.number("node", number(one.node));
    if (text.empty())
      j.null("cluster_lock");
    else
      j.text("cluster_lock", text);
    j.end();
    const auto shown = text.empty() ? "no cluster lock" : wire::visible(text);
    if (!c.options.json)
      print(all.size() > 1 ? fmt::format("node {}: {}\n", number(one.node), shown) : shown + "\n");
  }
  j.end();
  if (c.options.json) print_json(std::move(j));
  return report_failures(c, "getreclock", all);
}

}  // namespace

command getreclock_command() {
  return {.name = "getreclock",
          .group = "Cluster",
          .summary = "the cluster lock: a file, or ! and a command",
          .example = "floe --base DIR getreclock -n all",
          .run = run_getreclock};
}

}  // namespace floe::cli
