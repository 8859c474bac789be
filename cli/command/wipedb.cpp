/// floe wipedb: removes all records of a database, on all nodes. floe detach: forgets databases, on
/// all nodes. floe vacuum: removes what is left of deleted records, now.
#include <fmt/format.h>

#include "actors/client/detach.hpp"
#include "actors/client/replace.hpp"
#include "cli/ask_nodes.hpp"
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/databases.hpp"
#include "cli/hold_transactions.hpp"
#include "cli/output.hpp"
#include "cli/waiting_line.hpp"
#include "cli/wrap.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/database.hpp"
#include "protocol/wire/codec.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

int wipe(context& c, const arguments& a) {
  auto node = c.node();
  if (!node) return node.error();
  const auto what = "wipedb " + a["DB"];
  const auto db = find_database_info(**node, pnn::current, a["DB"], c.patience());
  if (!db) return c.fail(what, db.error());
  const waiting_line shown(**node, what);
  const auto held = hold_transactions(c, **node, db->id, kind_of(db->flags), what);
  if (!held) return held.error();
  const auto end = (*node)->wait<replaced_content>([&](auto finished) {
    replace_content((*node)->async(),
                    {.db = db->id,
                     .name = db->name,
                     .kind = kind_of(db->flags),
                     .step_patience = c.long_patience()},
                    finished);
  });
  if (!end) return c.fail(what, end.error());
  if (c.options.json) {
    auto j = open_json("wipedb");
    j.text("db", db->name);
    j.number("nodes", end->nodes);
    print_json(std::move(j));
  } else {
    print_text(fmt::format("{} is empty on {}\n", wire::visible(db->name),
                           count_text(end->nodes, "node")));
  }
  return done;
}

int detach_all(context& c, const arguments& a) {
  auto node = c.node();
  if (!node) return node.error();
  std::vector<database_info> wanted;
  for (const auto& name : a.all("DB")) {
    auto db = find_database_info(**node, pnn::current, name, c.patience());
    if (!db) return c.fail("detach " + name, db.error());
    if (kind_of(db->flags) != db_kind::volatile_db)
      return c.fail(fmt::format("detach {}: it is {}, and only volatile databases can be detached",
                                name, kind_text(db->flags)));
    wanted.push_back(std::move(*db));
  }
  for (const auto& db : wanted) {
    const waiting_line shown(**node, "detach " + db.name);
    const auto gone = (*node)->wait<void>(
        [&](auto finished) { floe::detach((*node)->async(), db.id, c.long_patience(), finished); });
    if (!gone) return c.fail("detach " + db.name, gone.error());
  }
  if (c.options.json) {
    auto j = open_json("detach");
    j.begin_list("detached");
    for (const auto& db : wanted) j.text("", db.name);
    j.end();
    print_json(std::move(j));
  }
  return done;
}

/// A full run of each volatile database, or of the one that is named. What was deleted elsewhere than
/// at its lmaster goes there first and is gone a moment later.
int vacuum(context& c, const arguments& a) {
  auto nodes = c.targets();
  if (!nodes) return nodes.error();
  auto& node = **c.node();
  std::vector<database_info> wanted;
  if (!a["DB"].empty()) {
    const auto db = find_database_info(node, pnn::current, a["DB"], c.patience());
    if (!db) return c.fail("vacuum " + a["DB"], db.error());
    wanted.push_back(*db);
  } else {
    auto all = list_databases(node, pnn::current, c.patience());
    if (!all) return c.fail("vacuum", all.error());
    for (auto& db : *all)
      if (kind_of(db.flags) == db_kind::volatile_db) wanted.push_back(std::move(db));
  }
  exit_code code = done;
  for (const auto& db : wanted) {
    const waiting_line shown(node, "vacuum " + db.name);
    const auto run = wire::encode(floe::db_vacuum{.db_id = db.id, .full_vacuum_run = true});
    const auto failed =
        report_failures(c, "vacuum " + db.name,
                        node.control_many(*nodes, control::db_vacuum, run, c.long_patience()));
    if (code == done) code = failed;
  }
  if (c.options.json && code == done) {
    auto j = open_json("vacuum");
    j.begin_list("databases");
    for (const auto& db : wanted) j.text("", db.name);
    j.end();
    print_json(std::move(j));
  }
  return code;
}

}  // namespace

std::vector<command> wipe_commands() {
  return {
      {.name = "wipedb",
       .group = "Databases",
       .summary = "remove all records of a database, on all nodes",
       .example = "floe --base DIR wipedb brlock.tdb",
       .positionals = {{"DB", "name, or 0x and id"}},
       .run = wipe},
      {.name = "detach",
       .group = "Databases",
       .summary = "forget volatile databases and their records, on all nodes",
       .example =
           "floe --base DIR -n all setvar AllowClientDBAttach 0\nfloe --base DIR detach brlock.tdb",
       .positionals = {{"DB", "name, or 0x and id", true, true}},
       .run = detach_all},
      {.name = "vacuum",
       .group = "Databases",
       .summary = "remove what is left of deleted records now, on the nodes named with -n",
       .example = "floe --base DIR -n all vacuum locking.tdb",
       .positionals = {{"DB", "name, or 0x and id; without it all volatile databases", false}},
       .run = vacuum}};
}

}  // namespace floe::cli
