/// floe setleaderrole, setlmasterrole: what a node may be, until it ends.
#include <fmt/format.h>

#include "cli/ask_nodes.hpp"
#include "cli/command/all.hpp"
#include "cli/output.hpp"

namespace floe::cli {
namespace {

/// The roles' words are CTDB's: on and off; "yes", "1" and so on are understood, too.
std::optional<bool> on_or_off(std::string_view word) {
  for (const auto* yes : {"on", "yes", "true", "1"})
    if (word == yes) return true;
  for (const auto* no : {"off", "no", "false", "0"})
    if (word == no) return false;
  return std::nullopt;
}

template <control C>
int set_role(context& c, const arguments& a, const char* verb) {
  const auto on = on_or_off(a["ON|OFF"]);
  if (!on) return c.misused(fmt::format("{}: \"{}\" is neither on nor off", verb, a["ON|OFF"]));
  const auto nodes = c.targets();
  if (!nodes) return nodes.error();
  const auto all =
      (*c.node())->control_many(*nodes, C, encode_request<C>(*on ? 1U : 0U), c.patience());
  if (c.options.json) {
    auto j = open_json(verb);
    j.boolean("on", *on);
    print_json(std::move(j));
  }
  return report_failures(c, verb, all);
}

int set_leader_role(context& c, const arguments& a) {
  return set_role<control::set_recmasterrole>(c, a, "setleaderrole");
}
int set_lmaster_role(context& c, const arguments& a) {
  return set_role<control::set_lmasterrole>(c, a, "setlmasterrole");
}

}  // namespace

std::vector<command> role_commands() {
  return {{.name = "setleaderrole",
           .group = "Node",
           .summary = "whether the node may lead; holds until it ends",
           .example = "floe --base DIR setleaderrole off -n 2",
           .positionals = {{"ON|OFF", "on or off"}},
           .run = set_leader_role},
          {.name = "setlmasterrole",
           .group = "Node",
           .summary = "whether the node may track records (be lmaster); holds until it ends",
           .example = "floe --base DIR setlmasterrole off -n 2 && floe --base DIR recover",
           .positionals = {{"ON|OFF", "on or off"}},
           .run = set_lmaster_role}};
}

}  // namespace floe::cli
