/// floe cattdb: the records of a database as this node has them, copies of what others own among them.
#include <fmt/format.h>

#include "actors/client/traverse.hpp"
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/keys.hpp"
#include "cli/named_database.hpp"
#include "cli/output.hpp"

namespace floe::cli {
namespace {

int run_cattdb(context& c, const arguments& a) {
  auto node = c.node();
  if (!node) return node.error();
  const auto db = find_named_database(**node, a["DB"], c.patience());
  if (!db) return c.fail("cattdb " + a["DB"], db.error());
  auto j = open_json("cattdb");
  j.text("db", a["DB"]);
  j.begin_list("records");
  table t({{"KEY"}, {"RSN", true}, {"OWNER", true}, {"BYTES", true}, {"VALUE"}});
  std::size_t of_ctdb = 0;  // the sequence number, which no user has put there
  const auto show = [&](const record_view& r) {
    of_ctdb += is_sequence_number(r.key);
    j.begin_object();
    j.text("key", show_octets(r.key));
    j.text("value", show_octets(r.data));
    j.number("rsn", number(r.header.rsn));
    j.number("dmaster", number(r.header.dmaster));
    j.number("flags", r.header.flags);
    j.end();
    if (!c.options.json)
      t.row({{show_key(r.key), is_sequence_number(r.key) ? style::dim : style::bold},
             std::to_string(number(r.header.rsn)),
             std::to_string(number(r.header.dmaster)),
             std::to_string(r.data.size()),
             show_value(r.key, r.data)});
  };
  const auto all = (*node)->wait<traverse_result>([&](auto finished) {
    traverse_here((*node)->async(), *db, c.long_patience(), show, finished);
  });
  if (!all) return c.fail("cattdb " + a["DB"], all.error());
  j.end();
  if (c.options.json) {
    print_json(std::move(j));
    return done;
  }
  print(t.text());
  print(count_text(all->records - of_ctdb, "record") + " here\n");
  return done;
}

}  // namespace

command cattdb_command() {
  return {.name = "cattdb",
          .group = "Databases",
          .summary =
              "the records of a database as this node has them: deleted ones and copies of what "
              "others own, too",
          .example = "floe --base DIR cattdb locking.tdb",
          .positionals = {{"DB", "name, or 0x and id"}},
          .run = run_cattdb};
}

}  // namespace floe::cli
