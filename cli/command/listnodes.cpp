/// floe listnodes: the addresses of the cluster, as the node knows them.
#include <fmt/format.h>

#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/machine_rows.hpp"
#include "cli/output.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/node_map.hpp"

namespace floe::cli {
namespace {

int run_listnodes(context& c, const arguments&) {
  auto node = c.node();
  if (!node) return node.error();
  auto at = c.target();
  if (!at) return at.error();
  const auto map = (*node)->control<control::get_nodemap>(*at, {}, c.patience());
  if (!map) return c.fail("listnodes", map.error());
  auto j = open_json("listnodes");
  j.begin_list("nodes");
  for (const auto& n : map->value.nodes) {
    const bool deleted = n.flags & node_flag::deleted;
    j.begin_object();
    j.number("node", number(n.pnn));
    j.text("address", address_text(n.addr));
    j.number("port", n.addr.port);
    j.boolean("deleted", deleted);
    j.end();
    if (c.options.json || deleted) continue;
    if (machine_rows())
      print_row({std::to_string(number(n.pnn)), std::string(address_text(n.addr))});
    else
      print(address_text(n.addr) + "\n");
  }
  j.end();
  if (c.options.json) print_json(std::move(j));
  return done;
}

}  // namespace

command listnodes_command() {
  return {.name = "listnodes",
          .group = "Cluster",
          .summary = "addresses of all nodes",
          .example = "floe --base DIR listnodes",
          .run = run_listnodes};
}

}  // namespace floe::cli
