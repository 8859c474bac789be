/// floe leader: which node leads.
#include "cli/cluster_state.hpp"
#include "cli/command/all.hpp"
#include "cli/output.hpp"

namespace floe::cli {
namespace {

int run_leader(context& c, const arguments&) {
  auto node = c.node();
  if (!node) return node.error();
  auto at = c.target();
  if (!at) return at.error();
  const auto leader = find_leader(**node, *at, c.patience());
  if (!leader && leader.error().code == client_errc::refused) {
    print_error("leader: " + leader.error().text);
    return says_no;
  }
  if (!leader) return c.fail("leader", leader.error());
  if (!c.options.json) {
    print(std::to_string(number(*leader)) + "\n");
    return done;
  }
  auto j = open_json("leader");
  j.number("leader", number(*leader));
  print_json(std::move(j));
  return done;
}

}  // namespace

command leader_command() {
  return {.name = "leader",
          .group = "Cluster",
          .summary = "which node leads the cluster; exit 4 if none does, with the reason",
          .example = "floe --base DIR leader",
          .run = run_leader};
}

}  // namespace floe::cli
