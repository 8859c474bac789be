/// floe nodestatus: are these nodes well? For scripts.
#include <fmt/format.h>

#include <algorithm>

#include "cli/cluster_state.hpp"
#include "cli/command/all.hpp"
#include "cli/output.hpp"
#include "protocol/constants.hpp"

namespace floe::cli {
namespace {

int run(context& c, const arguments&) {
  auto node = c.node();
  if (!node) return node.error();
  auto wanted = c.targets();
  if (!wanted) return wanted.error();
  const auto map = (*node)->control<control::get_nodemap>(pnn::current, {}, c.patience());
  if (!map) return c.fail("nodestatus", map.error());
  bool well = true;
  auto j = open_json("nodestatus");
  j.begin_list("nodes");
  for (const auto& n : map->value.nodes) {
    if (std::ranges::find(*wanted, n.pnn) == wanted->end()) continue;
    well = well && n.flags == 0;
    j.begin_object();
    j.number("node", number(n.pnn));
    j.text("state", node_state_text(n.flags));
    j.number("flags", n.flags);
    j.end();
    if (!c.options.json)
      print(fmt::format("node {}: {}\n", number(n.pnn),
                        paint(n.flags == 0 ? style::good : style::bad, node_state_text(n.flags))));
  }
  j.end();
  j.boolean("healthy", well);
  if (c.options.json) print_json(std::move(j));
  return well ? done : says_no;
}

}  // namespace

command nodestatus_command() {
  return {.name = "nodestatus",
          .group = "Cluster",
          .summary = "flags of the node, or of those that -n names; exit 4 if one is not OK",
          .example = "floe --base DIR nodestatus -n all && echo healthy",
          .run = run};
}

}  // namespace floe::cli
