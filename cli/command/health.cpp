/// floe health: is the node we are connected to well, by its own state, or one of its databases? For scripts and probes
/// that ask every second: one question on the Unix socket, nothing else. Installed, cli/launcher/ answers the simple ones.
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/health_checks.hpp"

namespace floe::cli {
namespace {

int run_health(context& c, const arguments& given) {
  auto node = c.node();
  if (!node) return node.error();
  const auto target = c.target();
  if (!target) return target.error();
  const auto told =
      (*node)->control<control::get_node_status>(*target, {only_health}, c.patience());
  if (!told) return c.fail("health", told.error());
  const auto h = health_in(std::string(told->value.value), given["--db"]);
  if (!h) return c.fail(h.error());
  print_health(*h, c.options.json);
  return h->good() ? done : says_no;
}

}  // namespace

command health_command() {
  return {.name = "health",
          .group = "Node",
          .summary =
              "whether the node can serve, check by check (4 if not); the same as its /readyz, "
              "without HTTP",
          .example = "floe health --db locking.tdb && echo served",
          .options = {{"--db", "DB", "only this database"}},
          .run = run_health};
}

}  // namespace floe::cli
