/// floe catdb: all records of a database, from all nodes.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "actors/client/traverse.hpp"
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/keys.hpp"
#include "cli/named_database.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "protocol/constants.hpp"

namespace floe::cli {
namespace {

int run_catdb(context& c, const arguments& a) {
  auto node = c.node();
  if (!node) return node.error();
  const auto db = find_named_database(**node, a["DB"], c.patience());
  if (!db) return c.fail("catdb " + a["DB"], db.error());
  std::map<bytes, record>
      all;  // a record that moves meanwhile may come twice: the newer one counts
  progress_line progress("catdb " + a["DB"], 0, !c.options.json);
  std::uint64_t seen = 0;
  const auto end = (*node)->wait<traverse_result>([&](auto finished) {
    traverse((*node)->async(), *db, a.has("--empty"), c.long_patience(),
             [&](const record_view& r) {
               progress.show(++seen);
               auto& mine = all[bytes(r.key)];
               if (mine.key.empty() || r.header.rsn >= mine.header.rsn)
                 mine = {bytes(r.key), r.header, bytes(r.data)};
             },
             finished);
  });
  if (!end) return c.fail("catdb " + a["DB"], end.error());
  if (c.options.json) {
    auto j = open_json("catdb");
    j.text("db", a["DB"]);
    j.begin_list("records");
    for (const auto& [key, r] : all) {
      j.begin_object();
      j.text("key", show_octets(key));
      j.text("value", show_octets(r.data));
      j.number("rsn", number(r.header.rsn));
      j.number("dmaster", number(r.header.dmaster));
      j.number("flags", r.header.flags);
      j.end();
    }
    j.end();
    print_json(std::move(j));
    return done;
  }
  table t({{"KEY"}, {"RSN", true}, {"NODE", true}, {"BYTES", true}, {"VALUE"}});
  for (const auto& [key, r] : all) {
    auto value = show_value(key, r.data);
    if (colours_wanted() && value.size() > 60) value = value.substr(0, 57) + "...";
    t.row({{show_key(key), is_sequence_number(key) ? style::dim : style::bold},
           std::to_string(number(r.header.rsn)),
           std::to_string(number(r.header.dmaster)),
           std::to_string(r.data.size()),
           value});
  }
  print(t.text());
  const auto put_in =
      std::ranges::count_if(all, [](const auto& r) { return !is_sequence_number(r.first); });
  print(count_text(static_cast<std::uint64_t>(put_in), "record") + "\n");
  return done;
}

}  // namespace

command catdb_command() {
  return {.name = "catdb",
          .group = "Databases",
          .summary = "all records of a database, from all nodes",
          .example = "floe --base DIR catdb locking.tdb --json | jq '.records[].key'",
          .positionals = {{"DB", "name, or 0x and id"}},
          .options = {{"--empty", nullptr, "deleted records that are not yet forgotten, too"}},
          .run = run_catdb};
}

}  // namespace floe::cli
