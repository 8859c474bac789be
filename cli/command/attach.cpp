/// floe attach: makes a database known to the cluster.
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/database_properties.hpp"
#include "cli/databases.hpp"
#include "cli/output.hpp"
#include "cli/waiting_line.hpp"
#include "cli/wrap.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

/// CTDB's words for a volatile database with a property.
std::optional<control> property_named(std::string_view kind) {
  if (kind == "readonly") return control::set_db_readonly;
  if (kind == "sticky") return control::set_db_sticky;
  return std::nullopt;
}

int run_attach(context& c, const arguments& a) {
  const auto& kind_name = a["KIND"];
  db_kind kind = db_kind::volatile_db;
  if (kind_name == "persistent")
    kind = db_kind::persistent;
  else if (kind_name == "replicated")
    kind = db_kind::replicated;
  else if (!kind_name.empty() && kind_name != "volatile" && !property_named(kind_name))
    return c.misused("no such kind: " + kind_name +
                     "; there are volatile, persistent, replicated, readonly, sticky");
  auto node = c.node();
  if (!node) return node.error();
  const waiting_line shown(**node, "attach " + a["DB"]);
  const auto id = (*node)->attach(a["DB"], kind, c.long_patience());
  if (!id) return c.fail("attach " + a["DB"], id.error());
  if (const auto property = property_named(kind_name))
    if (const auto set = set_property(c, **node, "attach " + a["DB"], *property, *id); !set)
      return set.error();
  if (c.options.json) {
    auto j = open_json("attach");
    j.text("name", a["DB"]);
    j.text("id", id_text(*id));
    print_json(std::move(j));
  } else {
    print_line(wire::visible(a["DB"]) + " is attached, id " + id_text(*id));
  }
  return done;
}

}  // namespace

command attach_command() {
  return {.name = "attach",
          .group = "Databases",
          .summary = "attach a database on all nodes, make it if need be",
          .example = "floe --base DIR attach secrets.tdb persistent",
          .positionals = {{"DB", "its name"},
                          {"KIND",
                           "volatile (the default), persistent or replicated; readonly or sticky: "
                           "volatile, with that property",
                           false}},
          .run = run_attach};
}

}  // namespace floe::cli
