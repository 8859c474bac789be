/// floe stop, continue, disable, enable, ban, unban: what an operator does to a node. Each returns
/// when the node itself says so.
#include <fmt/format.h>

#include <chrono>

#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/duration_text.hpp"
#include "cli/output.hpp"
#include "cli/waiting_line.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/membership.hpp"
#include "protocol/types/node_map.hpp"

namespace floe::cli {
namespace {

constexpr duration pause = std::chrono::milliseconds(100);

void sleep_for(blocking_client& c, duration d) {
  (void)c.wait<int>([&](auto finished) { c.loop().after(d, [finished] { finished(0); }); });
}

/// The flags of one node as another one (or itself) sees them.
result<std::uint32_t> flags_of(blocking_client& c, pnn node, pnn seen_by, duration patience) {
  const auto map = c.control<control::get_nodemap>(seen_by, {}, patience);
  if (!map) return std::unexpected(map.error());
  for (const auto& n : map->value.nodes)
    if (n.pnn == node) return n.flags;
  return std::unexpected(client_error{client_errc::bad_reply, 0, "a node map without it", node});
}

int change(context& c, const char* verb, control opcode, const bytes& data, std::uint32_t flag,
           bool set) {
  auto node = c.node();
  if (!node) return node.error();
  auto at = c.target();
  if (!at) return at.error();
  const auto end = (*node)->loop().now() + c.patience();
  const waiting_line shown(**node, verb);
  const auto sent = (*node)->send_control(*at, opcode, data, c.patience());
  if (!sent) return c.fail(verb, sent.error());
  // first the node itself, then the one we talk to, which the leader tells
  for (const pnn seen_by : {*at, pnn::current})
    for (;;) {
      const auto flags = flags_of(**node, *at, seen_by, c.patience());
      if (!flags) return c.fail(verb, flags.error());
      if (((*flags & flag) != 0) == set) break;
      if ((*node)->loop().now() >= end)
        return c.fail(verb, {client_errc::timed_out, 0, "its flags have not changed", *at});
      sleep_for(**node, pause);
    }
  if (c.options.json) {
    auto j = open_json(verb);
    j.number("node", number(*at));
    print_json(std::move(j));
  }
  return done;
}

int stop(context& c, const arguments&) {
  return change(c, "stop", control::stop_node, {}, node_flag::stopped, true);
}
int go_on(context& c, const arguments&) {
  return change(c, "continue", control::continue_node, {}, node_flag::stopped, false);
}
int disable(context& c, const arguments&) {
  return change(c, "disable", control::disable_node, {}, node_flag::permanently_disabled, true);
}
int enable(context& c, const arguments&) {
  return change(c, "enable", control::enable_node, {}, node_flag::permanently_disabled, false);
}

int set_ban(context& c, const char* verb, std::uint32_t seconds) {
  auto at = c.target();
  if (!at) return at.error();
  return change(c, verb, control::set_ban_state,
                encode_request<control::set_ban_state>({.pnn = *at, .time = seconds}),
                node_flag::banned, seconds > 0);
}
int ban(context& c, const arguments& a) {
  const auto& text = a["DURATION"];
  const auto time = parse_duration(text);
  if (!time) return c.misused("ban: " + not_a_duration(text));
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(*time).count();
  if (seconds < 1 || seconds > UINT32_MAX)
    return c.misused("ban: at least a second, and not for ever: " + text);
  return set_ban(c, "ban", static_cast<std::uint32_t>(seconds));
}
int unban(context& c, const arguments&) { return set_ban(c, "unban", 0); }

}  // namespace

std::vector<command> node_state_commands() {
  const auto make = [](const char* name, const char* summary, const char* example,
                       run_function run) {
    return command{
        .name = name, .group = "Cluster", .summary = summary, .example = example, .run = run};
  };
  auto all = std::vector{
      make("stop", "take the node out of the cluster; what only it has goes to the others first",
           "floe --base DIR stop -n 2", stop),
      make("continue", "let a stopped node back in", "floe --base DIR continue -n 2", go_on),
      make("ban", "take the node out for a while; what only it has goes to the others first",
           "floe --base DIR ban 60 -n 2", ban),
      make("unban", "lift a ban", "floe --base DIR unban -n 2", unban),
      make("disable", "keep public addresses away from the node", "floe --base DIR disable -n 2",
           disable),
      make("enable", "undo disable", "floe --base DIR enable -n 2", enable),
  };
  all[2].positionals = {{"DURATION", "for how long: 60, 90s, 5m"}};
  return all;
}

}  // namespace floe::cli
