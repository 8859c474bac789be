/// floe drill help: the language of drills, from the rows that the program reads it by.
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/command/drill/subcommands.hpp"
#include "cli/context.hpp"
#include "cli/drill/checker/checker.hpp"
#include "cli/output.hpp"
#include "cli/suggest.hpp"
#include "cli/wrap.hpp"

namespace floe::cli::drill {
namespace {

constexpr const char* grammar =
    "A drill is a text: comments (#) tell the story, then one verb per line; comments right above "
    "a "
    "line are the\n"
    "heading of what begins there. Values with spaces stand in quotes.\n"
    "NODE is a number, leader, follower, any (a running one, by the seed), it (the one named "
    "last), or a name given\n"
    "with `let`; NODES are several with commas, or all. When the last line is done, all faults are "
    "undone, everybody\n"
    "comes back, and the checks below are made.\n";

std::string usage_of(const verb& v) {
  return fmt::format("{}{}{}{}", v.of_client ? "NAME " : "", v.name, *v.arguments ? " " : "",
                     v.arguments);
}

std::string no_such_verb(std::string_view wanted) {
  std::vector<std::string_view> names;
  for (const auto& v : all_verbs()) names.emplace_back(v.name);
  const auto near = closest(wanted, names);
  return fmt::format("drill help: no such verb: {}; {}", wanted,
                     near ? fmt::format("did you mean {}?", *near)
                          : std::string("`floe drill help` lists all, `floe drill --help` the "
                                        "commands"));
}

void print_group(const char* group, const std::vector<std::pair<std::string, const char*>>& rows) {
  print_text(fmt::format("\n{}\n", paint(style::bold, group)));
  for (const auto& [usage, summary] : rows)
    print_text(fmt::format("  {}\n      {}\n", usage, summary));
}

void put_help() {
  auto j = open_json("drill help");
  j.text("grammar", grammar);
  j.begin_list("verbs");
  for (const auto& v : all_verbs()) {
    j.begin_object();
    j.text("name", v.name);
    j.text("group", v.group);
    j.text("usage", usage_of(v));
    j.text("summary", v.summary);
    j.text("example", v.example);
    j.end();
  }
  j.end();
  j.begin_list("conditions");
  for (const auto& x : all_conditions()) {
    j.begin_object();
    j.text("form", x.form);
    j.text("summary", x.summary);
    j.text("example", x.example);
    j.end();
  }
  j.end();
  j.begin_list("checks");
  for (const auto& x : all_checkers()) {
    j.begin_object();
    j.text("name", x.name);
    j.text("promise", x.promise);
    j.end();
  }
  j.end();
  print_json(std::move(j));
}

int print_verb(const context& c, const std::string& wanted) {
  bool found = false;
  for (const auto& v : all_verbs())
    if (wanted == v.name) {
      print_text(
          fmt::format("{}\n    {}\n\nExample:\n    {}\n", usage_of(v), v.summary, v.example));
      found = true;
    }
  if (found) return done;
  return c.misused(no_such_verb(wanted));
}

void print_language() {
  print_text(grammar);
  std::vector<std::string> groups;
  for (const auto& v : all_verbs())
    if (std::ranges::find(groups, v.group) == groups.end()) groups.emplace_back(v.group);
  for (const auto& g : groups) {
    std::vector<std::pair<std::string, const char*>> rows;
    for (const auto& v : all_verbs())
      if (g == v.group) rows.emplace_back(usage_of(v), v.summary);
    print_group(g.c_str(), rows);
  }
  std::vector<std::pair<std::string, const char*>> conditions, checks;
  for (const auto& x : all_conditions()) conditions.emplace_back(x.form, x.summary);
  for (const auto& x : all_checkers()) checks.emplace_back(x.name, x.promise);
  print_group("Conditions", conditions);
  print_group("Always checked", checks);
  print_text(
      "\n`floe drill help VERB` shows an example, `floe drill --help` what can be done with "
      "drills.\n");
}

int help(context& c, const arguments& a) {
  const auto& wanted = a["VERB"];
  if (!c.options.json && !wanted.empty()) return print_verb(c, wanted);
  if (c.options.json)
    put_help();
  else
    print_language();
  return done;
}

}  // namespace

command help_command() {
  return {.name = "help",
          .group = "Drills",
          .summary = "the language of drills: all verbs, or one",
          .example = "floe drill help\nfloe drill help kill",
          .positionals = {{"VERB", "only this one", false}},
          .run = help};
}

}  // namespace floe::cli::drill
