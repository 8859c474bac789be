/// floe quickstart: the deadlock of 2015 on three real nodes, told while it is played: one recovery for each database, or, to
/// see what that is good for, one for all of them, which ends in a circle. It is a drill like any other.
#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "cli/command/all.hpp"
#include "cli/command/drill/subcommands.hpp"
#include "cli/command/drill/verdict_text.hpp"
#include "cli/context.hpp"
#include "cli/drill/run/sweep.hpp"
#include "cli/output.hpp"
#include "cli/wrap.hpp"

namespace floe::cli {
namespace {

constexpr const char* story = "deadlock-of-2015";
/// Machines that build at the same time are slow; whoever holds a lock for ten seconds is cut off.
constexpr double slower = 8;

/// Held, or, if all databases freeze together, not held because of the circle.
exit_code verdict_on(const drill::verdict& v, bool freeze_all) {
  if (!freeze_all) return v.held ? done : failed;
  return !v.held && !v.circle.empty() ? says_no : failed;
}

int run_quickstart(context& c, const arguments& a) {
  const auto& freeze = a["--freeze"];
  if (a.has("--freeze") && freeze != "db" && freeze != "all")
    return c.misused("quickstart: --freeze takes db or all: " + freeze);
  auto script = drill::load(story);
  if (!script) return c.fail("quickstart: " + script.error());
  script->freeze_all = freeze == "all";
  script->patience = slower;
  const drill::planned_run play{.drill = &*script,
                                .seed = script->seed,
                                .on = {.real = true, .keep = a.has("--keep"), .patience = slower},
                                .measured = true,
                                .narrated = c.options.json ? drill::planned_run::narration::silent
                                                           : drill::planned_run::narration::spoken};
  drill::verdict v;
  const int interrupted = drill::sweep(
      {play}, 1, [&](const drill::planned_run&, const drill::verdict& told) { v = told; });
  if (interrupted) return 128 + interrupted;
  const auto code = verdict_on(v, script->freeze_all);
  if (code == says_no && !a.has("--keep")) {  // it failed as promised: nobody has to look why
    std::error_code ignored;
    std::filesystem::remove_all(std::exchange(v.kept, {}), ignored);
  }
  if (c.options.json) {
    auto j = open_json("quickstart");
    j.text("freeze", script->freeze_all ? "all" : "db");
    j.number("exit", static_cast<std::uint64_t>(code));
    drill::put_members(j, play, v);
    print_json(std::move(j));
    return code;
  }
  if (code == done) print("\n" + paint(style::good, "Everything held.") + "\n");
  if (!v.kept.empty()) print_text(fmt::format("The nodes' directories are in {}\n", v.kept));
  print_text(paint(
      style::dim,
      fmt::format("It was `floe drill run {} --real --narrate`; `floe drill list` has more.\n",
                  story)));
  return code;
}

}  // namespace

command quickstart_command() {
  return {.name = "quickstart",
          .group = "Start",
          .summary =
              "see it work: three nodes, two locks, one lost node, one recovery for each database",
          .example =
              "floe quickstart\nfloe quickstart --freeze=all   # how it ends when all databases "
              "freeze together",
          .options = {{"--freeze", "db|all",
                       "db (the default): each database recovers by itself; all: all are frozen "
                       "before any is recovered, which ends in a deadlock (exit 4)"},
                      {"--keep", nullptr, "keep the nodes' directories"}},
          .run = run_quickstart};
}

}  // namespace floe::cli
