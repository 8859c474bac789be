/// floe getvar, setvar, listvars: the tunables of a node.
#include <fmt/format.h>

#include <limits>

#include "cli/ask_nodes.hpp"
#include "cli/command/all.hpp"
#include "cli/config/c_number.hpp"
#include "cli/output.hpp"
#include "cli/suggest.hpp"
#include "protocol/tunable_effects.hpp"
#include "protocol/tunables.hpp"
#include "protocol/types/tunable_value.hpp"

namespace floe::cli {
namespace {

std::string no_such(const std::string& name) {
  std::vector<std::string_view> names;
  for (const auto& t : all_tunables()) names.push_back(t.name);
  const auto near = closest(name, names);
  return "no such tunable: " + name +
         (near ? fmt::format("; did you mean {}?", *near)
               : std::string("; `floe listvars` names them all"));
}

std::optional<std::uint32_t> parse_number(std::string_view text) {
  const auto n = parse_c_number(text);
  if (!n || *n > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*n);
}

int get(context& c, const arguments& a) {
  const auto& name = a["NAME"];
  auto nodes = c.targets();
  if (!nodes) return nodes.error();
  if (!find_tunable(name)) return c.misused(no_such(name));
  const auto all =
      (*c.node())->control_many(*nodes, control::get_tunable,
                                encode_request<control::get_tunable>({.name = name}), c.patience());
  auto j = open_json("getvar");
  j.text("name", find_tunable(name)->name);
  j.begin_list("nodes");
  for (const auto& one : all) {
    const auto v = decode_answer<control::get_tunable>(one.reply, one.node);
    if (!v) continue;
    j.begin_object();
    j.number("node", number(one.node));
    j.number("value", v->value);
    j.end();
    if (!c.options.json)
      print(fmt::format("{}{} = {}\n",
                        all.size() > 1 ? fmt::format("node {}: ", number(one.node)) : "",
                        find_tunable(name)->name, v->value));
  }
  j.end();
  if (c.options.json) print_json(std::move(j));
  return report_failures(c, "getvar " + name, all);
}

int set(context& c, const arguments& a) {
  const auto& name = a["NAME"];
  const auto value = parse_number(a["VALUE"]);
  if (!value) return c.misused("not a number that fits into 32 bits: " + a["VALUE"]);
  auto nodes = c.targets();
  if (!nodes) return nodes.error();
  const auto* info = find_tunable(name);
  if (!info) return c.misused(no_such(name));
  const auto all = (*c.node())->control_many(
      *nodes, control::set_tunable,
      encode_request<control::set_tunable>({.value = *value, .name = name}), c.patience());
  const auto why = why_without_effect(info->which);
  if (!why.empty()) print_error(fmt::format("setvar: {} has no effect: {}", info->name, why));
  if (c.options.json) {
    auto j = open_json("setvar");
    j.text("name", info->name);
    j.number("value", *value);
    j.boolean("obsolete", info->obsolete);
    if (!why.empty()) j.text("no_effect", why);
    print_json(std::move(j));
  }
  return report_failures(c, "setvar " + name, all);
}

struct node_values {
  pnn node;
  tunable_list values;
};

/// One column for each node, so that a difference is seen.
std::string as_table(const std::vector<node_values>& all) {
  std::vector<std::string> titles;
  for (const auto& n : all)
    titles.push_back(all.size() > 1 ? fmt::format("NODE {}", number(n.node)) : "VALUE");
  std::vector<column> columns{{"NAME"}};
  for (const auto& t : titles) columns.push_back({t.c_str(), true});
  for (const column& more :
       {column{"DEFAULT", true, true}, column{"UNIT", false, true}, column{"MEANING"}})
    columns.push_back(more);
  table t(std::move(columns));
  for (const auto& info : all_tunables()) {
    if (info.obsolete || info.own) continue;
    std::vector<cell> row{{std::string(info.name), style::bold}};
    const auto first = all.front().values[info.which];
    for (const auto& n : all) {
      const auto v = n.values[info.which];
      row.emplace_back(std::to_string(v), v != first        ? style::bad
                                          : v != info.value ? style::warn
                                                            : style::plain);
    }
    row.emplace_back(std::to_string(info.value), style::dim);
    row.emplace_back(std::string(info.unit));
    const auto why = why_without_effect(info.which);
    row.emplace_back(why.empty() ? std::string(info.meaning) : fmt::format("no effect: {}", why),
                     style::dim);
    t.row(std::move(row));
  }
  return t.text();
}

int list(context& c, const arguments&) {
  auto nodes = c.targets();
  if (!nodes) return nodes.error();
  const auto all = (*c.node())->control_many(*nodes, control::get_all_tunables, {}, c.patience());
  std::vector<node_values> values;
  for (const auto& one : all)
    if (auto v = decode_answer<control::get_all_tunables>(one.reply, one.node))
      values.push_back({one.node, v->value});
  if (c.options.json) {
    auto j = open_json("listvars");
    j.begin_list("nodes");
    for (const auto& n : values) {
      j.begin_object();
      j.number("node", number(n.node));
      j.begin_object("values");
      for (const auto& info : all_tunables())
        if (!info.obsolete && !info.own) j.number(info.name, n.values[info.which]);
      j.end();
      j.end();
    }
    j.end();
    j.begin_object("no_effect");
    for (const auto& info : all_tunables())
      if (const auto why = why_without_effect(info.which); !why.empty() && !info.obsolete)
        j.text(info.name, why);
    j.end();
    print_json(std::move(j));
  } else if (!values.empty()) {
    print(as_table(values));
  }
  return report_failures(c, "listvars", all);
}

}  // namespace

command getvar_command() {
  return {.name = "getvar",
          .group = "Settings",
          .summary = "value of a tunable",
          .example = "floe --base DIR getvar RecoverTimeout -n all",
          .positionals = {{"NAME", "its name; case does not matter"}},
          .run = get};
}

command setvar_command() {
  return {.name = "setvar",
          .group = "Settings",
          .summary = "set a tunable until the node ends",
          .example = "floe --base DIR setvar RecoverTimeout 10 -n all",
          .positionals = {{"NAME", "its name; case does not matter"},
                          {"VALUE", "a number; 0x10 is 16, 072 is 58"}},
          .run = set};
}

command listvars_command() {
  return {.name = "listvars",
          .group = "Settings",
          .summary =
              "all tunables with unit and meaning, or why one has no effect; differences "
              "between nodes stand out",
          .example = "floe --base DIR listvars -n all",
          .run = list};
}

}  // namespace floe::cli
