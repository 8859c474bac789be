/// floe uptime: since when the node runs, and when it last recovered.
#include <fmt/format.h>

#include "cli/ask_nodes.hpp"
#include "cli/command/all.hpp"
#include "cli/output.hpp"
#include "protocol/types/membership.hpp"

namespace floe::cli {
namespace {

std::int64_t microseconds(const timeval& t) { return t.sec * 1'000'000 + t.usec; }

int run_uptime(context& c, const arguments&) {
  auto nodes = c.targets();
  if (!nodes) return nodes.error();
  const auto all = (*c.node())->control_many(*nodes, control::uptime, {}, c.patience());
  auto j = open_json("uptime");
  j.begin_list("nodes");
  table t({{"NODE", true}, {"UP SINCE"}, {"UP FOR", true}, {"LAST RECOVERY"}, {"TOOK", true}});
  for (const auto& one : all) {
    const auto u = decode_answer<control::uptime>(one.reply, one.node);
    if (!u) continue;
    const auto now = microseconds(u->value.current_time),
               started = microseconds(u->value.ctdbd_start_time);
    const auto from = microseconds(u->value.last_recovery_started),
               to = microseconds(u->value.last_recovery_finished);
    // in a recovery the end is still that of the one before
    const bool going_on = from > to;
    t.row({std::to_string(number(one.node)), time_text(started),
           age_text(static_cast<double>(now - started) / 1e3),
           from == 0 ? "never" : time_text(from),
           from == 0  ? "-"
           : going_on ? "going on for " + age_text(static_cast<double>(now - from) / 1e3)
                      : age_text(static_cast<double>(to - from) / 1e3)});
    j.begin_object();
    j.number("node", number(one.node));
    j.integer("now_us", now);
    j.integer("started_us", started);
    j.integer("last_recovery_started_us", from);
    j.integer("last_recovery_finished_us", to);
    j.end();
  }
  j.end();
  if (c.options.json)
    print_json(std::move(j));
  else
    print(t.text());
  return report_failures(c, "uptime", all);
}

}  // namespace

command uptime_command() {
  return {.name = "uptime",
          .group = "Node",
          .summary = "since when the node runs, and its last recovery",
          .example = "floe --base DIR uptime -n all",
          .run = run_uptime};
}

}  // namespace floe::cli
