/// floe stats, statisticsreset: what each interval of the past has added to the node's counters.
#include <fmt/format.h>

#include "cli/ask_nodes.hpp"
#include "cli/command/all.hpp"
#include "cli/machine_rows.hpp"
#include "cli/output.hpp"
#include "cli/statistics_rows.hpp"
#include "cli/whole_number.hpp"
#include "protocol/types/statistics.hpp"
#include "protocol/wire/text.hpp"

namespace floe::cli {
namespace {

double seconds_of(const timeval& t) {
  return static_cast<double>(t.sec) + static_cast<double>(t.usec) / 1e6;
}
std::int64_t micros(const timeval& t) { return t.sec * 1'000'000 + t.usec; }

/// Mean and longest in milliseconds; empty if there was none.
std::string latency_text(const latency& l) {
  return l.num <= 0 ? "" : fmt::format("{:.2f} / {:.2f}", l.total * 1000 / l.num, l.max * 1000);
}

int stats(context& c, const arguments& a) {
  const bool rows = machine_rows() && !c.options.json;
  std::size_t wanted = rows ? 100 : 10;
  if (const auto& text = a["INTERVALS"]; !text.empty()) {
    wanted = whole_number<std::size_t>(text).value_or(0);
    if (wanted == 0 || wanted > 100)
      return c.misused("stats: " + text + " is no number of intervals; there are 1 to 100");
  }
  const auto nodes = c.targets();
  if (!nodes) return nodes.error();
  const auto all = (*c.node())->control_many(*nodes, control::get_stat_history, {}, c.patience());
  auto j = open_json("stats");
  j.begin_list("nodes");
  for (const auto& one : all) {
    const auto list = decode_answer<control::get_stat_history>(one.reply, one.node);
    if (!list) continue;
    table t({{"UNTIL"},
             {"SECONDS", true, true},
             {"CALLS", true},
             {"CALL MS", true, true},
             {"LOCKS", true},
             {"LOCK MS", true, true},
             {"NODE IN", true},
             {"NODE OUT", true},
             {"CLIENT IN", true, true},
             {"CLIENT OUT", true, true},
             {"RECOVERIES", true}});
    j.begin_object();
    j.number("node", number(one.node));
    j.begin_list("intervals");
    if (rows) print_statistics_titles();
    std::size_t shown = 0;
    for (const auto& s : list->value.stats) {
      if (s.statistics_current_time.sec == 0 || shown++ == wanted) break;
      if (rows) print_statistics_row(s);
      wire::json_sink to(j);
      wire::codec<floe::statistics>::show(to, "", s);
      t.row({time_text(micros(s.statistics_current_time)).substr(0, 19),
             fmt::format("{:.1f}", seconds_of(s.statistics_current_time) -
                                       seconds_of(s.statistics_start_time)),
             std::to_string(s.total_calls), latency_text(s.call_latency),
             std::to_string(s.locks_num_calls), latency_text(s.locks_latency),
             std::to_string(s.node_packets_recv), std::to_string(s.node_packets_sent),
             std::to_string(s.client_packets_recv), std::to_string(s.client_packets_sent),
             std::to_string(s.num_recoveries)});
    }
    j.end();
    j.end();
    if (c.options.json || rows) continue;
    if (all.size() > 1) print(fmt::format("node {}\n", number(one.node)));
    print(t.empty() ? "no interval has ended yet\n" : t.text());
  }
  j.end();
  if (c.options.json) print_json(std::move(j));
  return report_failures(c, "stats", all);
}

int reset(context& c, const arguments&) {
  const auto nodes = c.targets();
  if (!nodes) return nodes.error();
  const auto all = (*c.node())->control_many(*nodes, control::statistics_reset, {}, c.patience());
  if (c.options.json) print_json(open_json("statisticsreset"));
  return report_failures(c, "statisticsreset", all);
}

}  // namespace

std::vector<command> stats_commands() {
  return {{.name = "stats",
           .group = "Node",
           .summary = "what each of the last intervals (StatHistoryInterval) added to the "
                      "counters, newest first",
           .example = "floe --base DIR stats 5 -n all",
           .positionals = {{"INTERVALS", "how many at most; without it 10, with -X all", false}},
           .run = stats},
          {.name = "statisticsreset",
           .group = "Node",
           .summary = "set the counters of the node to zero",
           .example = "floe --base DIR statisticsreset -n all",
           .run = reset}};
}

}  // namespace floe::cli
