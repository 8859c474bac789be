/// floe statistics: the counters of a node.
#include <fmt/format.h>

#include "cli/ask_nodes.hpp"
#include "cli/command/all.hpp"
#include "cli/machine_rows.hpp"
#include "cli/output.hpp"
#include "cli/statistics_rows.hpp"
#include "protocol/types/statistics.hpp"
#include "protocol/wire/text.hpp"

namespace floe::cli {
namespace {

int run_statistics(context& c, const arguments& a) {
  auto nodes = c.targets();
  if (!nodes) return nodes.error();
  const auto all = (*c.node())->control_many(*nodes, control::statistics, {}, c.patience());
  auto j = open_json("statistics");
  j.begin_list("nodes");
  for (const auto& one : all) {
    const auto s = decode_answer<control::statistics>(one.reply, one.node);
    if (!s) continue;
    j.begin_object();
    j.number("node", number(one.node));
    wire::json_sink to(j);
    wire::codec<floe::statistics>::show(to, "statistics", s->value);
    j.end();
    if (c.options.json) continue;
    if (machine_rows()) {
      print_statistics_titles();
      print_statistics_row(s->value);
      continue;
    }
    wire::field_list fields;
    wire::codec<floe::statistics>::show(fields, "", s->value);
    table t({{""}, {"", true}});
    for (const auto& f : fields.fields())
      if (!f.hidden) t.row({{f.path, style::dim}, wire::scalar_text(f.value, f.says)});
    const auto text = t.text();
    print(fmt::format("node {}\n", number(one.node)));
    print(text.substr(text.find('\n') + 1));
  }
  j.end();
  if (c.options.json) print_json(std::move(j));
  if (const auto code = report_failures(c, "statistics", all); code != done) return code;
  if (!a.has("--reset")) return done;
  return report_failures(
      c, "statistics",
      (*c.node())->control_many(*nodes, control::statistics_reset, {}, c.patience()));
}

}  // namespace

command statistics_command() {
  return {.name = "statistics",
          .group = "Node",
          .summary = "counters of the node",
          .example =
              "floe --base DIR statistics -n all --json | jq '.nodes[].statistics.num_recoveries'",
          .options = {{"--reset", nullptr, "set them to zero after printing"}},
          .run = run_statistics};
}

}  // namespace floe::cli
