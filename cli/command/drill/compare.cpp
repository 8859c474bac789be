/// floe drill compare: two runs side by side.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>

#include "cli/command/drill/subcommands.hpp"
#include "cli/context.hpp"
#include "cli/drill/report/compare_runs.hpp"
#include "cli/output.hpp"
#include "cli/whole_file.hpp"
#include "cli/wrap.hpp"

namespace floe::cli::drill {
namespace {

std::expected<std::string, std::string> read_file(const std::string& name) {
  std::ifstream in(name, std::ios::binary);
  std::stringstream text;
  if (!in || !(text << in.rdbuf()))
    return std::unexpected(
        fmt::format("{} cannot be read: {}", name, std::strerror(errno ? errno : EIO)));
  return text.str();
}

std::optional<double> read_percent(std::string_view text) {
  double n = -1;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), n);
  const std::string_view rest(r.ptr, static_cast<std::size_t>(text.data() + text.size() - r.ptr));
  if (r.ec != std::errc() || (!rest.empty() && rest != "%") || !(n >= 0 && n <= 1'000'000))
    return std::nullopt;
  return n;
}

int compare(context& c, const arguments& a) {
  std::optional<double> limit;
  if (a.has("--fail-if-worse") && !(limit = read_percent(a["--fail-if-worse"])))
    return c.misused("drill compare: --fail-if-worse takes a percentage such as 20: " +
                     a["--fail-if-worse"]);
  const auto first = read_file(a["A"]), second = read_file(a["B"]);
  if (!first || !second) return c.fail(first ? second.error() : first.error());
  const auto compared = compare_runs(*first, *second);
  if (!compared) return print_mistakes("drill compare", compared.error());
  if (a.has("--html"))
    if (const auto written = write_whole(a["--html"], comparison_page(*compared, *first, *second));
        !written)
      return c.fail(written.error());
  const auto worse = limit ? compared->worse_by(*limit) : std::vector<std::string>{};
  if (c.options.json) {
    auto j = open_json("drill compare");
    put_comparison(j, *compared);
    j.begin_list("worse");
    for (const auto& w : worse) j.text({}, w);
    j.end();
    print_json(std::move(j));
  } else {
    print_text(comparison_text(*compared));
    if (!worse.empty())
      print_text(fmt::format("\n{} by more than {} %: {}\n", paint(style::bad, "WORSE"), *limit,
                             fmt::join(worse, ", ")));
  }
  return worse.empty() ? done : says_no;
}

}  // namespace

command compare_command() {
  return {
      .name = "compare",
      .group = "Drills",
      .summary = "two runs side by side, from the files of `floe drill run --record`",
      .example =
          "floe drill run follower-killed --record before.json\nfloe drill compare before.json "
          "after.json\n"
          "floe drill compare before.json after.json --fail-if-worse 20   # 4 if anything is",
      .positionals = {{"A", "record of a run"}, {"B", "record of another"}},
      .options = {{"--html", "FILE", "also as a page: the table, and both runs"},
                  {"--fail-if-worse", "PERCENT",
                   "exit with 4 if B is worse than A by more than that, in time, rate or verdict"}},
      .run = compare};
}

}  // namespace floe::cli::drill
