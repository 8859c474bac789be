/// floe nodestatus: are these nodes well? For scripts.
#include <fmt/format.h>

#include <algorithm>

#include "cli/cluster_state.hpp"
#include "cli/command/all.hpp"
#include "cli/machine_rows.hpp"
#include "cli/output.hpp"
#include "cli/troubles.hpp"
#include "cli/wrap.hpp"
#include "protocol/constants.hpp"

namespace floe::cli {
namespace {

/// Why it has its flags; of one without flags what keeps it, or the whole cluster, from working for longer than a
/// recovery takes.
std::string reason_for(const std::vector<known_trouble>& all, const node_and_flags& n) {
  if (n.flags != 0) return reason_of(all, n.pnn);
  std::string reason;
  for (const auto& t : all)
    if (t.ill && lasts(t) && (!t.node || t.node == n.pnn))
      reason += (reason.empty() ? "" : "; ") + with_age(t);
  return reason;
}

int run_nodestatus(context& c, const arguments& a) {
  auto node = c.node();
  if (!node) return node.error();
  auto wanted = a["NODES"].empty() ? c.targets() : c.targets(a["NODES"]);
  if (!wanted) return wanted.error();
  const auto map = (*node)->control<control::get_nodemap>(pnn::current, {}, c.patience());
  if (!map) return c.fail("nodestatus", map.error());
  auto asked = reachable(map->value);
  std::erase_if(asked, [&, self = (*node)->self()](pnn p) {  // ours knows why others are not there
    return p != self && std::ranges::find(*wanted, p) == wanted->end();
  });
  const auto reports =
      ask_reports(**node, asked, std::min<duration>(c.patience(), std::chrono::seconds(1)));
  const auto troubles = troubles_in(reports, (*node)->self());
  bool well = true;
  std::uint32_t flags = 0;
  const bool rows = machine_rows() && !c.options.json;
  if (rows) print_node_titles();
  auto j = open_json("nodestatus");
  j.begin_list("nodes");
  for (const auto& n : map->value.nodes) {
    if (std::ranges::find(*wanted, n.pnn) == wanted->end()) continue;
    const auto reason = reason_for(troubles, n);
    const bool good = n.flags == 0 && reason.empty();
    well = well && good;
    j.begin_object();
    j.number("node", number(n.pnn));
    j.text("state", node_state_text(n.flags));
    j.number("flags", n.flags);
    j.text("reason", reason);
    j.end();
    flags |= n.flags;
    if (rows) print_node_row(n, (*node)->self());
    if (!c.options.json && !rows)
      print_line(fmt::format("node {}: {}{}{}", number(n.pnn),
                             paint(good ? style::good : style::bad, node_state_text(n.flags)),
                             reason.empty() ? "" : ", ", reason));
  }
  j.end();
  j.boolean("healthy", well);
  if (c.options.json) print_json(std::move(j));
  if (rows) return static_cast<int>(flags & 0xFF);  // CTDB's exit status
  return well ? done : says_no;
}

}  // namespace

command nodestatus_command() {
  return {.name = "nodestatus",
          .group = "Cluster",
          .summary =
              "flags of the node, or of those that are named, and why; exit 4 if one is not well "
              "(with -X CTDB's status: the flags)",
          .example = "floe --base DIR nodestatus all && echo healthy",
          .positionals = {{"NODES", "as for -n: a number, several (0,2), or all", false}},
          .run = run_nodestatus};
}

}  // namespace floe::cli
