/// floe getdebug, setdebug: how much the node writes to its log.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/ask_nodes.hpp"
#include "cli/command/all.hpp"
#include "cli/output.hpp"
#include "cli/whole_number.hpp"
#include "protocol/constants.hpp"

namespace floe::cli {
namespace {

struct level {
  std::string_view name;
  std::int32_t value;
};
constexpr std::array levels =
    std::to_array<level>({{"ERROR", 0}, {"WARNING", 1}, {"NOTICE", 3}, {"INFO", 5}, {"DEBUG", 10}});

std::string level_text(std::int32_t v) {
  for (const auto& l : levels)
    if (l.value == v) return std::string(l.name);
  return std::to_string(v);
}

std::optional<std::int32_t> parse_level(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char x) { return std::toupper(x); });
  for (const auto& l : levels)
    if (l.name == text) return l.value;
  return whole_number<std::int32_t>(text);
}

int get(context& c, const arguments&) {
  auto nodes = c.targets();
  if (!nodes) return nodes.error();
  const auto all = (*c.node())->control_many(*nodes, control::get_debug, {}, c.patience());
  auto j = open_json("getdebug");
  j.begin_list("nodes");
  for (const auto& one : all) {
    const auto v = decode_answer<control::get_debug>(one.reply, one.node);
    if (!v) continue;
    const auto text = level_text(static_cast<std::int32_t>(v->value));
    j.begin_object();
    j.number("node", number(one.node));
    j.text("level", text);
    j.end();
    if (!c.options.json)
      print(all.size() > 1 ? fmt::format("node {}: {}\n", number(one.node), text) : text + "\n");
  }
  j.end();
  if (c.options.json) print_json(std::move(j));
  return report_failures(c, "getdebug", all);
}

int set(context& c, const arguments& a) {
  const auto v = parse_level(a["LEVEL"]);
  if (!v)
    return c.misused("no such level: " + a["LEVEL"] +
                     "; there are ERROR, WARNING, NOTICE, INFO, DEBUG");
  auto nodes = c.targets();
  if (!nodes) return nodes.error();
  const auto all = (*c.node())->control_many(
      *nodes, control::set_debug, encode_request<control::set_debug>(static_cast<debug_level>(*v)),
      c.patience());
  if (c.options.json) {
    auto j = open_json("setdebug");
    j.text("level", level_text(*v));
    print_json(std::move(j));
  }
  return report_failures(c, "setdebug", all);
}

}  // namespace

command getdebug_command() {
  return {.name = "getdebug",
          .group = "Settings",
          .summary = "log level of the node",
          .example = "floe --base DIR getdebug -n all",
          .run = get};
}

command setdebug_command() {
  return {.name = "setdebug",
          .group = "Settings",
          .summary = "set the log level of the node",
          .example = "floe --base DIR setdebug DEBUG -n 1",
          .positionals = {{"LEVEL", "ERROR, WARNING, NOTICE, INFO, DEBUG or a number"}},
          .run = set};
}

}  // namespace floe::cli
