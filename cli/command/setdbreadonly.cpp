/// floe setdbreadonly: a property of a volatile database. A node has it until it ends, and each has its own.
#include "cli/command/setdbreadonly.hpp"

#include <fmt/format.h>

#include "cli/ask_nodes.hpp"
#include "cli/databases.hpp"
#include "cli/output.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/wire/codec.hpp"

namespace floe::cli {

std::expected<std::vector<pnn>, exit_code> allow_read_only_copies(context& c, blocking_client& node,
                                                                  std::string_view what, db_id db) {
  auto nodes = c.targets();
  if (!nodes) return std::unexpected(nodes.error());
  if (c.options.node.empty()) {
    const auto map = node.control<control::get_nodemap>(pnn::current, {}, c.patience());
    if (!map) return std::unexpected(c.fail(what, map.error()));
    nodes->clear();
    for (const auto& n : map->value.nodes)
      if (!(n.flags & node_flag::inactive)) nodes->push_back(n.pnn);
  }
  const auto all = ask_each(node, *nodes, control::set_db_readonly, wire::encode(db), c.patience());
  if (const auto code = report_failures(c, what, all); code != done) return std::unexpected(code);
  return *nodes;
}

namespace {

int set_read_only(context& c, const arguments& a) {
  auto node = c.node();
  if (!node) return node.error();
  const auto what = "setdbreadonly " + a["DB"];
  const auto db = find_database_info(**node, pnn::current, a["DB"], c.patience());
  if (!db) return c.fail(what, db.error());
  if (kind_of(db->flags) != db_kind::volatile_db)
    return c.fail(fmt::format("{}: it is {}, and only records of volatile databases move", what,
                              kind_text(db->flags)));
  const auto nodes = allow_read_only_copies(c, **node, what, db->id);
  if (!nodes) return nodes.error();
  if (c.options.json) {
    auto j = open_json("setdbreadonly");
    j.text("db", db->name);
    j.begin_list("nodes");
    for (const pnn n : *nodes) j.number("", number(n));
    j.end();
    print_json(std::move(j));
  }
  return done;
}

}  // namespace

command setdbreadonly_command() {
  return {.name = "setdbreadonly",
          .group = "Databases",
          .summary =
              "let nodes have read-only copies of records of a volatile database: on all "
              "active nodes, or those of -n, until they end",
          .example = "floe --base DIR setdbreadonly locking.tdb",
          .positionals = {{"DB", "name, or 0x and id"}},
          .run = set_read_only};
}

}  // namespace floe::cli
