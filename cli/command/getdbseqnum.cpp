/// floe getdbseqnum: how many transactions a persistent or replicated database has seen.
#include <fmt/format.h>

#include "cli/ask_nodes.hpp"
#include "cli/command/all.hpp"
#include "cli/databases.hpp"
#include "cli/named_database.hpp"
#include "cli/output.hpp"
#include "protocol/types/database.hpp"

namespace floe::cli {
namespace {

int run_getdbseqnum(context& c, const arguments& a) {
  const auto nodes = c.targets();
  if (!nodes) return nodes.error();
  auto& node = **c.node();
  const auto db = find_named_database(node, a["DB"], c.patience());
  if (!db) return c.fail("getdbseqnum " + a["DB"], db.error());
  const auto all =
      node.control_many(*nodes, control::get_db_seqnum,
                        encode_request<control::get_db_seqnum>({.db_id = *db}), c.patience());
  auto j = open_json("getdbseqnum");
  j.text("db", a["DB"]);
  j.begin_list("nodes");
  for (const auto& one : all) {
    const auto seqnum = decode_answer<control::get_db_seqnum>(one.reply, one.node);
    if (!seqnum) continue;
    j.begin_object();
    j.number("node", number(one.node));
    j.number("seqnum", seqnum->value);
    j.end();
    if (!c.options.json)
      print(all.size() > 1 ? fmt::format("node {}: {}\n", number(one.node), seqnum->value)
                           : fmt::format("{}\n", seqnum->value));
  }
  j.end();
  if (c.options.json) print_json(std::move(j));
  return report_failures(c, "getdbseqnum", all);
}

}  // namespace

command getdbseqnum_command() {
  return {
      .name = "getdbseqnum",
      .group = "Databases",
      .summary =
          "sequence number of a persistent or replicated database: it grows with each transaction",
      .example = "floe --base DIR getdbseqnum secrets.tdb -n all",
      .positionals = {{"DB", "name, or 0x and id"}},
      .run = run_getdbseqnum};
}

}  // namespace floe::cli
