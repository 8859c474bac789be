/// floe metrics: what a node's /metrics shows, and what each number means. Asks nobody: the table is in the program.
#include <fmt/format.h>

#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/json_list.hpp"
#include "cli/metrics/metric_table.hpp"
#include "cli/output.hpp"

namespace floe::cli {
namespace {

/// The table as cli/service/metrics.md has it.
std::string as_markdown() {
  std::string out = "| metric | kind | label | what it says |\n|---|---|---|---|\n";
  for (const auto& m : all_metrics())
    out += fmt::format("| `{}` | {} | {} | {} |\n", m.name, m.kind,
                       m.label.empty() ? "" : fmt::format("`{}`", m.label), m.meaning);
  return out;
}

int run_metrics(context& c, const arguments& given) {
  if (c.options.json) {
    auto j = open_json("metrics");
    put_objects(j, "metrics", all_metrics(), [&j](const metric_info& m) {
      j.text("name", m.name);
      j.text("kind", m.kind);
      j.text("label", m.label);
      j.text("meaning", m.meaning);
    });
    print_json(std::move(j));
    return done;
  }
  if (given.has("--markdown")) {
    print(as_markdown());
    return done;
  }
  table t({{"METRIC"}, {"KIND"}, {"LABEL"}, {"WHAT IT SAYS"}});
  for (const auto& m : all_metrics())
    t.row({std::string(m.name),
           {std::string(m.kind), style::dim},
           std::string(m.label),
           std::string(m.meaning)});
  print(t.text());
  return done;
}

}  // namespace

command metrics_command() {
  return {.name = "metrics",
          .group = "Node",
          .summary =
              "the metrics that a node serves for Prometheus, if ctdb.conf has `[floe] metrics = "
              "127.0.0.1:9437`",
          .example = "floe metrics; curl -s http://127.0.0.1:9437/metrics",
          .options = {{"--markdown", nullptr, "as a table for a page"}},
          .run = run_metrics};
}

}  // namespace floe::cli
