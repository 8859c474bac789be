/// floe getdbmap: the databases that are attached.
#include <fmt/format.h>

#include <ranges>

#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/databases.hpp"
#include "cli/machine_rows.hpp"
#include "cli/output.hpp"
#include "protocol/constants.hpp"

namespace floe::cli {
namespace {

std::string extra_flags(std::uint8_t flags) {
  std::string out;
  if (flags & db_flag::readonly) out += "readonly ";
  if (flags & db_flag::sticky) out += "sticky ";
  if (!out.empty()) out.pop_back();
  return out;
}

int run_getdbmap(context& c, const arguments&) {
  auto node = c.node();
  if (!node) return node.error();
  auto at = c.target();
  if (!at) return at.error();
  const auto all = list_databases(**node, *at, c.patience());
  if (!all) return c.fail("getdbmap", all.error());
  if (machine_rows() && !c.options.json) {
    print_row(
        {"ID", "Name", "Path", "Persistent", "Sticky", "Unhealthy", "Readonly", "Replicated"});
    for (const auto& d : *all | std::views::reverse) {  // the newest first, as CTDB's tool
      const auto has = [&](std::uint8_t flag) { return std::string(d.flags & flag ? "1" : "0"); };
      print_row({fmt::format("{:#010X}", number(d.id)).replace(1, 1, "x"), d.name, d.path,
                 has(db_flag::persistent), has(db_flag::sticky), d.damage.empty() ? "0" : "1",
                 has(db_flag::readonly), has(db_flag::replicated)});
    }
    return done;
  }
  auto j = open_json("getdbmap");
  j.number("node", number(*at));
  j.begin_list("databases");
  table t({{"ID"}, {"NAME"}, {"KIND"}, {"FLAGS"}, {"HEALTH"}, {"PATH", false, true}});
  for (const auto& d : *all) {
    t.row({id_text(d.id),
           {d.name, style::bold},
           kind_text(d.flags),
           extra_flags(d.flags),
           d.damage.empty() ? cell("OK", style::good) : cell(d.damage, style::bad),
           {d.path, style::dim}});
    j.begin_object();
    put_fields(j, d);
    j.end();
  }
  j.end();
  if (c.options.json)
    print_json(std::move(j));
  else
    print(all->empty() ? "no databases are attached\n" : t.text());
  return done;
}

}  // namespace

command getdbmap_command() {
  return {.name = "getdbmap",
          .group = "Databases",
          .summary = "databases that are attached",
          .example = "floe --base DIR getdbmap",
          .run = run_getdbmap};
}

}  // namespace floe::cli
