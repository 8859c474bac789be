/// floe doctor: everything that is wrong in the whole cluster, why, since when, and what to try.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "cli/command/all.hpp"
#include "cli/diagnosis.hpp"
#include "cli/nodes_files.hpp"
#include "cli/output.hpp"
#include "cli/wrap.hpp"

namespace floe::cli {
namespace {

constexpr duration others_patience = std::chrono::seconds(2);

void print_text(const diagnosis& d) {
  const auto all = in_fewer_words(d.troubles);
  const auto ill = std::ranges::count_if(all, &known_trouble::ill);
  const auto asked = count_text(d.asked.size(), "node") + (d.asked.size() == 1 ? " was" : " were");
  print_line(
      ill == 0 ? asked + " asked: nothing is wrong"
               : fmt::format("{} asked: {} thing{} wrong", asked, ill, ill == 1 ? " is" : "s are"),
      2, ill == 0 ? style::good : style::bad);
  std::size_t n = 0;
  for (const auto& t : all) {
    print("\n");
    print_line(fmt::format("{}. {}", ++n, with_age(t)), 3, t.ill ? style::bold : style::plain);
    if (!t.next.empty()) print_line("   try: " + t.next, 5);
    if (!t.ill) print_line("   the work goes on");
  }
  for (const pnn p : d.without_report) {
    print("\n");
    print_line(fmt::format("node {} is a ctdbd, which gives no report", number(p)));
  }
}

void print_as_json(const diagnosis& d) {
  auto j = open_json("doctor");
  j.boolean("healthy", !d.ill());
  j.begin_list("troubles");
  for (const auto& t : d.troubles) put_trouble(j, t);
  j.end();
  j.begin_list("without_report");
  for (const pnn p : d.without_report) j.number({}, number(p));
  j.end();
  print_json(std::move(j));
}

int run_doctor(context& c, const arguments&) {
  auto node = c.node();
  if (!node) return node.error();
  const auto map = (*node)->control<control::get_nodemap>(pnn::current, {}, c.patience());
  if (!map) return c.fail("doctor", map.error());
  const auto patience = std::min(c.patience(), others_patience);
  auto found = diagnose(**node, map->value, (*node)->self(), patience);
  std::vector<pnn> answering;
  for (const auto& [one, report] : found.reports) answering.push_back(one);
  std::ranges::move(nodes_file_troubles(**node, map->value, answering, (*node)->self(), patience),
                    std::back_inserter(found.troubles));
  if (c.options.json)
    print_as_json(found);
  else
    print_text(found);
  return found.ill() ? says_no : done;
}

}  // namespace

command doctor_command() {
  return {
      .name = "doctor",
      .group = "Cluster",
      .summary = "what is wrong in the whole cluster, why, and what to try; exit 4 if anything is",
      .example = "floe --base DIR doctor || echo look",
      .run = run_doctor};
}

}  // namespace floe::cli
