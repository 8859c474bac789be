/// floe timeline: what happened in the last recovery, on all nodes, to scale.
#include <fmt/format.h>

#include <set>

#include "actors/events.hpp"
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/drill/report/run_record.hpp"
#include "cli/duration_text.hpp"
#include "cli/output.hpp"
#include "cli/timeline/gather.hpp"
#include "cli/whole_file.hpp"
#include "cli/wrap.hpp"
#include "protocol/constants.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/wire/visible.hpp"

namespace floe::cli {
namespace {

bool save(context& c, const std::string& file, const std::string& text) {
  const auto written = write_whole(file, text);
  if (!written) c.fail(written.error());
  return written.has_value();
}

/// Every node notes it, at its own time: it is lost once, until somebody sees it again.
std::vector<run_fault> losses_in(const timeline_picture& picture) {
  std::vector<run_fault> all;
  std::set<pnn> lost;
  for (const auto& e : picture.events) {
    if (const auto up = as<event::node_up>(e.line)) lost.erase(up->pnn);
    const auto down = as<event::node_down>(e.line);
    if (down && lost.insert(down->pnn).second)
      all.push_back({e.t_us, e.t_us, fmt::format("node {} lost", number(down->pnn))});
  }
  return all;
}

int run_timeline(context& c, const arguments& a) {
  std::optional<duration> back;
  if (a.has("--since")) {
    back = parse_duration(a["--since"]);
    if (!back)
      return c.misused("--since takes 500ms, 10s, 2m or a number of seconds: " + a["--since"]);
  }
  auto node = c.node();
  if (!node) return node.error();
  std::vector<pnn> nodes;
  std::vector<silent_node> lost;
  if (!c.options.node.empty()) {
    auto named = c.targets();
    if (!named) return named.error();
    nodes = *named;
  } else {
    const auto map = (*node)->control<control::get_nodemap>(pnn::current, {}, c.patience());
    if (!map) return c.fail("timeline", map.error());
    for (const auto& n : map->value.nodes) {
      if (n.flags & node_flag::deleted) continue;
      if (n.flags & node_flag::disconnected)
        lost.push_back({n.pnn, "disconnected"});
      else
        nodes.push_back(n.pnn);
    }
  }
  auto& loop = (*node)->loop();
  const auto since = back ? loop.wall_us() - in_us(*back) : std::int64_t{0};
  // events before `since` tell in which state things were then, so all are asked for
  auto g = gather_events(**node, nodes, 0, c.patience());
  g.missing.insert(g.missing.end(), lost.begin(), lost.end());
  const exit_code code = g.missing.size() < nodes.size() + lost.size() ? done : failed;
  const auto picture = make_picture(g.events, since, loop.wall_us());
  if (a.has("--html") || a.has("--perfetto")) {
    run_record record{
        .title = "timeline", .mode = "cluster", .picture = picture, .zero_us = picture.from_us};
    for (const pnn n : nodes) record.nodes.push_back({n, "floe"});
    record.faults = losses_in(picture);
    if (a.has("--html") && !save(c, a["--html"], html_page(record))) return failed;
    if (a.has("--perfetto") && !save(c, a["--perfetto"], perfetto_trace(record))) return failed;
  }
  if (c.options.json) {
    auto j = open_json("timeline");
    put_picture(j, picture, g.missing);
    print_json(std::move(j));
    return code;
  }
  print_text(draw(picture, terminal_width(), colours_wanted()));
  for (const auto& m : g.missing)
    print_text(paint(style::bad,
                     fmt::format("node {} not asked: {}\n", number(m.node), wire::visible(m.why))));
  return code;
}

}  // namespace

command timeline_command() {
  return {.name = "timeline",
          .group = "Cluster",
          .summary = "what happened in the last recovery, to scale, on all nodes",
          .example =
              "floe --base DIR timeline\nfloe --base DIR timeline --since 30s --json | jq "
              "'.rows[].spans'",
          .options = {{"--since", "DURATION", "everything since then: 500ms, 10s, 2m"},
                      {"--html", "FILE", "also as a page for a browser, in one file"},
                      {"--perfetto", "FILE", "also as a trace for ui.perfetto.dev"}},
          .run = run_timeline};
}

}  // namespace floe::cli
