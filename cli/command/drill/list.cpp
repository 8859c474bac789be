/// floe drill list, show, check: drills that are not played.
#include <sstream>

#include "cli/command/drill/subcommands.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"

namespace floe::cli::drill {
namespace {

int list(context& c, const arguments&) {
  table t({{"DRILL"}, {"STORY"}});
  auto j = open_json("drill list");
  j.begin_list("drills");
  for (const auto& d : shipped_drills()) {
    const auto s = read_script(std::string(d.name), d.text);
    const auto title = s ? s->title : s.error();
    t.row({std::string(d.name), title});
    j.begin_object();
    j.text("name", d.name);
    j.text("title", title);
    j.end();
  }
  j.end();
  if (c.options.json)
    print_json(std::move(j));
  else
    print(t.text());
  return done;
}

int show(context& c, const arguments& a) {
  const auto* d = find_shipped(a["DRILL"]);
  if (!d) return c.misused("drill show: no drill of that name is shipped: " + a["DRILL"]);
  if (c.options.json) {
    auto j = open_json("drill show");
    j.text("name", d->name);
    j.text("text", d->text);
    print_json(std::move(j));
  } else
    print(d->text);
  return done;
}

int check(context& c, const arguments& a) {
  std::size_t wrong = 0;
  for (const auto& name : a.all("DRILL")) {
    const auto s = load(name);
    if (s) continue;
    ++wrong;
    print_mistakes("drill check", s.error());
  }
  if (wrong > 0) return wrong_use;
  if (c.options.json) {
    auto j = open_json("drill check");
    j.number("drills", a.all("DRILL").size());
    print_json(std::move(j));
  }
  return done;
}

}  // namespace

command list_command() {
  return {.name = "list",
          .group = "Drills",
          .summary = "the shipped drills",
          .example = "floe drill list",
          .run = list};
}

command show_command() {
  return {.name = "show",
          .group = "Drills",
          .summary = "print a shipped drill",
          .example = "floe drill show deadlock-of-2015 > my.drill",
          .positionals = {{"DRILL", "its name"}},
          .run = show};
}

command check_command() {
  return {.name = "check",
          .group = "Drills",
          .summary = "read drills without playing them, and tell every mistake; 2 if there is one",
          .example = "floe drill check my.drill",
          .positionals = {{"DRILL", "a file, or the name of a shipped drill", true, true}},
          .run = check};
}

}  // namespace floe::cli::drill
