/// floe explain: a row of the protocol's tables or of the log's events, for people. Needs no node.
#include <algorithm>
#include <utility>

#include "actors/events.hpp"
#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/decode/explain.hpp"
#include "cli/decode/lookup.hpp"
#include "cli/output.hpp"
#include "cli/suggest.hpp"
#include "cli/wrap.hpp"

namespace floe::cli {
namespace {

void print_found(const std::vector<explanation>& found) {
  auto j = open_json("explain");
  j.begin_list("found");
  for (const auto& e : found) j.raw("", e.json);
  j.end();
  print_json(std::move(j));
}

/// One event a line, its name first, so that a shell can complete by it.
int list_events(context& c) {
  if (c.options.json) {
    print_found(explain_all_events());
    return done;
  }
  table t({{"EVENT"}, {"LEVEL"}, {"SAYS"}});
  for (const auto& e : all_events())
    t.row({{std::string(e.name), style::bold},
           {std::string(to_string(e.level)), e.level == log_level::error     ? style::bad
                                             : e.level == log_level::warning ? style::warn
                                                                             : style::plain},
           std::string(e.meaning)});
  print(t.text());
  return done;
}

int list_names() {
  auto names = all_names();
  std::ranges::sort(names);
  const auto twice = std::ranges::unique(names);
  names.erase(twice.begin(), twice.end());
  for (const auto name : names) print(std::string(name) + "\n");
  return done;
}

/// A label and what stands beside it, where it is broken.
void print_page(std::string_view text) {
  constexpr std::size_t beside_the_labels = 13;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    print_line(text.substr(0, end), beside_the_labels);
    text.remove_prefix(std::min(text.size(), end + 1));
  }
}

int run_explain(context& c, const arguments& a) {
  if (a.has("--names")) return list_names();
  if (!a.has("NAME")) return list_events(c);
  const auto& name = a["NAME"];
  const auto found = explain(name, !c.options.json && colours_wanted());
  if (found.empty()) {
    const auto near = closest(name, all_names());
    return c.misused("nothing is called " + name +
                     (near ? "; did you mean " + std::string(*near) + "?"
                           : "; `floe explain --names` lists what can be explained"));
  }
  if (c.options.json) {
    print_found(found);
  } else {
    bool first = true;
    for (const auto& e : found) {
      if (!std::exchange(first, false)) print("\n");
      print_page(e.text);
    }
  }
  return done;
}

}  // namespace

command explain_command() {
  return {
      .name = "explain",
      .group = "Protocol",
      .summary =
          "what an event of the log, a control, message, operation, flag, tunable or type is",
      .example =
          "floe explain node-down\n  floe explain                      # all events of the log\n"
          "  floe explain GET_DBMAP\n  floe explain 9\n  floe explain 0xF101000000000000\n"
          "  floe explain ControlTimeout",
      .positionals = {{"NAME",
                       "name (case does not matter), opcode of a control, or srvid of a message",
                       false}},
      .options = {{"--names", nullptr, "every name that can be explained, one a line"}},
      .run = run_explain};
}

}  // namespace floe::cli
