/// floe setdbreadonly, setdbsticky: properties of a volatile database. A node has them until it ends, and each has its own.
#include <fmt/format.h>

#include "cli/ask_nodes.hpp"
#include "cli/command/all.hpp"
#include "cli/database_properties.hpp"
#include "cli/databases.hpp"
#include "cli/output.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/wire/codec.hpp"

namespace floe::cli {

std::expected<std::vector<pnn>, exit_code> set_property(context& c, blocking_client& node,
                                                        std::string_view what, control property,
                                                        db_id db) {
  auto nodes = c.targets();
  if (!nodes) return std::unexpected(nodes.error());
  if (c.options.node.empty()) {
    const auto map = node.control<control::get_nodemap>(pnn::current, {}, c.patience());
    if (!map) return std::unexpected(c.fail(what, map.error()));
    nodes->clear();
    for (const auto& n : map->value.nodes)
      if (!(n.flags & node_flag::inactive)) nodes->push_back(n.pnn);
  }
  const auto all = node.control_many(*nodes, property, wire::encode(db), c.patience());
  if (const auto code = report_failures(c, what, all); code != done) return std::unexpected(code);
  return *nodes;
}

namespace {

int set(context& c, const arguments& a, const char* verb, control property) {
  auto node = c.node();
  if (!node) return node.error();
  const auto what = fmt::format("{} {}", verb, a["DB"]);
  const auto db = find_database_info(**node, pnn::current, a["DB"], c.patience());
  if (!db) return c.fail(what, db.error());
  if (kind_of(db->flags) != db_kind::volatile_db)
    return c.fail(fmt::format("{}: it is {}, and only records of volatile databases move", what,
                              kind_text(db->flags)));
  const auto nodes = set_property(c, **node, what, property, db->id);
  if (!nodes) return nodes.error();
  if (c.options.json) {
    auto j = open_json(verb);
    j.text("db", db->name);
    j.begin_list("nodes");
    for (const pnn n : *nodes) j.number("", number(n));
    j.end();
    print_json(std::move(j));
  }
  return done;
}

int set_read_only(context& c, const arguments& a) {
  return set(c, a, "setdbreadonly", control::set_db_readonly);
}
int set_sticky(context& c, const arguments& a) {
  return set(c, a, "setdbsticky", control::set_db_sticky);
}

}  // namespace

std::vector<command> property_commands() {
  return {{.name = "setdbreadonly",
           .group = "Databases",
           .summary = "let nodes have read-only copies of records of a volatile database: on all "
                      "active nodes, or those of -n, until they end",
           .example = "floe --base DIR setdbreadonly locking.tdb",
           .positionals = {{"DB", "name, or 0x and id"}},
           .run = set_read_only},
          {.name = "setdbsticky",
           .group = "Databases",
           .summary = "pin down records of a volatile database that are asked for from far away "
                      "(StickyPindown): on all active nodes, or those of -n, until they end",
           .example = "floe --base DIR setdbsticky locking.tdb",
           .positionals = {{"DB", "name, or 0x and id"}},
           .run = set_sticky}};
}

}  // namespace floe::cli
