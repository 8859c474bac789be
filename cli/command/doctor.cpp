/// floe doctor: everything that is wrong in the whole cluster, why, since when, and what to try.
#include <fmt/format.h>

#include <algorithm>

#include "cli/command/all.hpp"
#include "cli/output.hpp"
#include "cli/troubles.hpp"
#include "cli/wrap.hpp"

namespace floe::cli {
namespace {

constexpr duration others_patience = std::chrono::seconds(2);

struct findings {
  std::vector<known_trouble> troubles;
  std::vector<pnn> without_report;  ///< asked, and silent or a ctdbd
  std::size_t ill() const {
    return static_cast<std::size_t>(std::ranges::count_if(troubles, &known_trouble::ill));
  }
};

void print_text(const findings& f, std::size_t asked) {
  const auto ill = f.ill();
  print(ill == 0 ? paint(style::good, fmt::format("{} nodes were asked: nothing is wrong\n", asked))
                 : paint(style::bad, fmt::format("{} nodes were asked: {} thing{} wrong\n", asked,
                                                 ill, ill == 1 ? " is" : "s are")));
  std::size_t n = 0;
  for (const auto& t : f.troubles) {
    print("\n");
    print_line(fmt::format("{}. {}", ++n, with_age(t)), 3, t.ill ? style::bold : style::plain);
    if (!t.next.empty()) print_line("   try: " + t.next, 5);
    if (!t.ill) print_line("   the work goes on");
  }
  for (const pnn p : f.without_report) {
    print("\n");
    print_line(fmt::format("node {} is connected and has given no report: it hangs, or is a ctdbd",
                           number(p)));
  }
}

void print_as_json(const findings& f) {
  auto j = open_json("doctor");
  j.boolean("healthy", f.ill() == 0 && f.without_report.empty());
  j.begin_list("troubles");
  for (const auto& t : f.troubles) put_trouble(j, t);
  j.end();
  j.begin_list("without_report");
  for (const pnn p : f.without_report) j.number({}, number(p));
  j.end();
  print_json(std::move(j));
}

int run(context& c, const arguments&) {
  auto node = c.node();
  if (!node) return node.error();
  const auto map = (*node)->control<control::get_nodemap>(pnn::current, {}, c.patience());
  if (!map) return c.fail("doctor", map.error());
  const auto asked = reachable(map->value);
  const auto reports = ask_reports(**node, asked, std::min(c.patience(), others_patience));
  findings f{.troubles = troubles_in(reports, (*node)->self()), .without_report = {}};
  for (const pnn p : asked)
    if (!reports.contains(p)) f.without_report.push_back(p);
  if (c.options.json)
    print_as_json(f);
  else
    print_text(f, asked.size());
  return f.ill() == 0 && f.without_report.empty() ? done : says_no;
}

}  // namespace

command doctor_command() {
  return {
      .name = "doctor",
      .group = "Cluster",
      .summary = "what is wrong in the whole cluster, why, and what to try; exit 4 if anything is",
      .example = "floe --base DIR doctor || echo look",
      .run = run};
}

}  // namespace floe::cli
