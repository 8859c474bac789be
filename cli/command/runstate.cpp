/// floe runstate: which stage of its life the node is in; with names given, whether it is one of
/// them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/ask_nodes.hpp"
#include "cli/command/all.hpp"
#include "cli/output.hpp"
#include "protocol/constants.hpp"

namespace floe::cli {
namespace {

std::vector<std::string> all_states() {
  std::vector<std::string> all;
  for (auto s = static_cast<std::uint64_t>(floe::runstate::init); !runstate_text(s).empty(); ++s)
    all.emplace_back(runstate_text(s));
  return all;
}

int run_runstate(context& c, const arguments& a) {
  std::vector<std::string> wanted = a.all("STATE");
  const auto known = all_states();
  for (auto& one : wanted) {
    std::ranges::transform(one, one.begin(), [](unsigned char x) { return std::toupper(x); });
    if (std::ranges::find(known, one) == known.end())
      return c.misused(
          fmt::format("no such run state: {}; there are {}", one, fmt::join(known, ", ")));
  }
  auto nodes = c.targets();
  if (!nodes) return nodes.error();
  const auto all = (*c.node())->control_many(*nodes, control::get_runstate, {}, c.patience());
  auto j = open_json("runstate");
  j.begin_list("nodes");
  bool as_wanted = true;
  for (const auto& one : all) {
    const auto state = decode_answer<control::get_runstate>(one.reply, one.node);
    if (!state) continue;
    const auto text = runstate_text(static_cast<std::uint64_t>(state->value));
    if (!wanted.empty() && std::ranges::find(wanted, text) == wanted.end()) as_wanted = false;
    j.begin_object();
    j.number("node", number(one.node));
    j.text("runstate", text);
    j.end();
    if (!c.options.json)
      print((all.size() > 1 ? "node " + std::to_string(number(one.node)) + ": " : std::string()) +
            text + "\n");
  }
  j.end();
  if (c.options.json) print_json(std::move(j));
  const auto code = report_failures(c, "runstate", all);
  return code != done ? code : as_wanted ? done : says_no;
}

}  // namespace

command runstate_command() {
  return {
      .name = "runstate",
      .group = "Node",
      .summary =
          "stage of the node's life, INIT to RUNNING; exit 4 if it is none of those asked for",
      .example = "floe --base DIR runstate running && echo ready",
      .positionals = {{"STATE",
                       "INIT, SETUP, FIRST_RECOVERY, STARTUP, RUNNING or SHUTDOWN: exit 4 unless "
                       "the node is in one of these states",
                       false, true}},
      .run = run_runstate};
}

}  // namespace floe::cli
