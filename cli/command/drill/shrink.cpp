/// floe drill shrink: a failing drill, made smaller.
#include "cli/drill/shrink/shrink_drill.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "cli/command/drill/subcommands.hpp"
#include "cli/context.hpp"
#include "cli/output.hpp"
#include "cli/say.hpp"
#include "cli/whole_file.hpp"

namespace floe::cli::drill {
namespace {

void put(const shrunk_drill& s, const std::string& name) {
  auto j = open_json("drill shrink");
  j.text("drill", name);
  j.number("seed", s.seed);
  j.text("failed_at", s.failed_at);
  j.text("reason", s.reason);
  j.text("reason_before", s.reason_before);
  j.number("lines_before", s.lines_before);
  j.number("lines_after", s.lines_after);
  j.number("runs", s.runs);
  j.text("text", s.text);
  print_json(std::move(j));
}

int run_drill_shrink(context& c, const arguments& a) {
  const auto script = load(a["DRILL"]);
  if (!script) return print_mistakes("drill shrink", script.error());
  shrink_options o{.seed = script->seed, .jobs = std::max(1U, std::thread::hardware_concurrency())};
  for (const auto& [name, to, most] :
       {std::tuple<const char*, std::uint64_t*, std::uint64_t>{"--seed", &o.seed, UINT64_MAX / 2},
        {"--tries", &o.tries, 1000}}) {
    if (!a.has(name)) continue;
    const auto n = parse_count(a[name]);
    if (!n || *n < 1 || *n > most)
      return c.misused(
          fmt::format("drill shrink: {} takes a number from 1 to {}: {}", name, most, a[name]));
    *to = *n;
  }
  const auto& out = a["--out"];
  o.name = out;
  if (!out.empty())
    if (const auto can = can_be_written(out); !can) return c.fail(can.error());
  const bool shown = !c.options.json && ::isatty(STDERR_FILENO);
  const auto small = shrink(*script, o, [&](std::size_t lines, std::size_t runs) {
    if (!shown) return;
    say("\r\x1b[K{} lines left, {} runs", lines, runs);
    std::fflush(stderr);
  });
  if (shown) std::fputs("\r\x1b[K", stderr);
  if (!small) return c.fail("drill shrink: " + small.error().why);
  if (!out.empty())
    if (const auto done = write_whole(out, small->text); !done) return c.fail(done.error());
  if (c.options.json) {
    put(*small, script->name);
    return done;
  }
  const auto summary = fmt::format("{}: {} lines, {} of them needed ({} runs)\n  {}\n",
                                   script->name, small->lines_before, small->lines_after,
                                   small->runs, out.empty() ? small->reason_before : small->reason);
  if (out.empty()) {
    print(small->text);
    flush_output();
    std::fputs(summary.c_str(), stderr);
  } else {
    print(fmt::format("{}  again: floe drill run {}\n", summary, out));
  }
  return done;
}

}  // namespace

command shrink_command() {
  return {
      .name = "shrink",
      .group = "Drills",
      .summary = "make a failing drill smaller: fewer lines that fail in the same way",
      .example =
          "floe drill shrink chaos --seed 17 --out small.drill\nfloe drill run small.drill "
          "--report small.html",
      .positionals = {{"DRILL", "a file, or the name of a shipped drill"}},
      .options =
          {{"--seed", "N", "the seed with which it fails (that of the drill)"},
           {"--tries", "N",
            "seeds to try for each smaller one, which makes other choices of the same seed (3)"},
           {"--out", "FILE", "write the smaller drill there (to standard output)"}},
      .run = run_drill_shrink};
}

}  // namespace floe::cli::drill
