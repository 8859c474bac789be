/// floe getcapabilities: what the node may be.
#include <fmt/format.h>

#include "cli/ask_nodes.hpp"
#include "cli/command/all.hpp"
#include "cli/machine_rows.hpp"
#include "cli/output.hpp"
#include "protocol/constants.hpp"

namespace floe::cli {
namespace {

const char* yes_no(bool b) { return b ? "yes" : "no"; }

int run_getcapabilities(context& c, const arguments&) {
  auto nodes = c.targets();
  if (!nodes) return nodes.error();
  const auto all = (*c.node())->control_many(*nodes, control::get_capabilities, {}, c.patience());
  auto j = open_json("getcapabilities");
  j.begin_list("nodes");
  table t({{"NODE", true}, {"MAY LEAD"}, {"LMASTER"}, {"ALL"}});
  for (const auto& one : all) {
    const auto bits = decode_answer<control::get_capabilities>(one.reply, one.node);
    if (!bits) continue;
    const bool leads = bits->value & capability::recmaster,
               lmaster = bits->value & capability::lmaster;
    if (machine_rows() && !c.options.json) {
      print_row({"LEADER", "LMASTER"});
      print_row({leads ? "1" : "0", lmaster ? "1" : "0"});
    }
    t.row({std::to_string(number(one.node)), yes_no(leads), yes_no(lmaster),
           capabilities_text(bits->value)});
    j.begin_object();
    j.number("node", number(one.node));
    j.boolean("leader", leads);
    j.boolean("lmaster", lmaster);
    j.number("bits", bits->value);
    j.end();
  }
  j.end();
  if (c.options.json)
    print_json(std::move(j));
  else if (!machine_rows())
    print(t.text());
  return report_failures(c, "getcapabilities", all);
}

}  // namespace

command getcapabilities_command() {
  return {.name = "getcapabilities",
          .group = "Node",
          .summary = "whether the node may lead and may track records",
          .example = "floe --base DIR getcapabilities -n all",
          .run = run_getcapabilities};
}

}  // namespace floe::cli
