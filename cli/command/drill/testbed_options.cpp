#include "cli/command/drill/testbed_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/drill/testbed/real/ctdbd_node.hpp"
#include "cli/drill/testbed/real/limits.hpp"
#include "cli/output.hpp"
#include "cli/whole_number.hpp"
#include "cli/wrap.hpp"

namespace floe::cli::drill {
namespace {

constexpr std::size_t most_nodes = 16;

std::string place_text(const left_out_line& l) {
  return fmt::format("{}:{}: {}: {}", l.drill, l.line.line, l.line.text, l.line.why);
}

/// With which the user asked for something that only real processes can have.
const char* only_real(const arguments& a) {
  for (const auto* name : {"--ctdbd", "--skip-impossible", "--keep", "--patience"})
    if (a.has(name)) return name;
  return nullptr;
}

}  // namespace

std::expected<testbed_choice, std::string> read_testbed_choice(const arguments& a) {
  testbed_choice c{.real = a.has("--real"),
                   .skip_impossible = a.has("--skip-impossible"),
                   .keep = a.has("--keep")};
  if (c.real && a.has("--sim")) return std::unexpected("--sim and --real contradict each other");
  if (!c.real)
    if (const auto* name = only_real(a))
      return std::unexpected(fmt::format("{} goes with --real", name));
  const auto& list = a["--ctdbd"];
  c.all_ctdbd = list == "all";
  if (a.has("--ctdbd") && !c.all_ctdbd)
    for (std::size_t begin = 0; begin <= list.size();) {
      const auto end = std::min(list.find(',', begin), list.size());
      const auto n = parse_count(list.substr(begin, end - begin));
      if (!n || *n >= most_nodes)
        return std::unexpected("--ctdbd takes numbers of nodes with commas, or all: " + list);
      c.ctdbd.push_back(*n);
      begin = end + 1;
    }
  if (a.has("--patience")) {
    const auto& text = a["--patience"];
    c.patience = whole_number<double>(text).value_or(0);
    if (!(c.patience >= 1 && c.patience <= 1000))
      return std::unexpected("--patience takes a number from 1 to 1000: " + text);
  }
  return c;
}

int leave_out_impossible(context& c, run_options& w, left_out_lines& left_out) {
  if ((w.on.all_ctdbd || !w.on.ctdbd.empty()) && !find_ctdbd())
    return c.fail("drill run: ctdbd is not installed here; Debian has it in the package ctdb");
  for (auto& d : w.drills) {
    real_options kinds;
    for (std::size_t n = 0; n < d.nodes; ++n) kinds.kinds.push_back(w.on.kind(n));
    for (const auto n : w.on.ctdbd)
      if (n >= d.nodes)
        return c.misused(fmt::format("drill run: --ctdbd: {} has nodes 0 to {}, not {}", d.name,
                                     d.nodes - 1, n));
    const auto limits = find_limits(kinds);
    const auto cannot = [&](ability a) { return limits.cannot(a); };
    for (auto& l : impossible_lines(d, cannot)) left_out.push_back({d.name, std::move(l)});
    if (w.on.skip_impossible) d = without_impossible(std::move(d), cannot);
  }
  if (left_out.empty()) return done;
  if (!w.on.skip_impossible) {
    constexpr std::size_t shown = 4;
    std::string lines;
    for (std::size_t i = 0; i < std::min(shown, left_out.size()); ++i)
      lines += (i ? "; " : "") + place_text(left_out[i]);
    if (left_out.size() > shown)
      lines += fmt::format("; and {} more lines", left_out.size() - shown);
    return c.misused(fmt::format(
        "drill run: this cannot be done here (--skip-impossible leaves it out): {}", lines));
  }
  if (!c.options.json)
    for (const auto& l : left_out) print_text(fmt::format("left out: {}\n", place_text(l)));
  return done;
}

void put_left_out(wire::json_writer& j, const left_out_lines& lines) {
  if (lines.empty()) return;
  j.begin_list("left_out");
  for (const auto& l : lines) {
    j.begin_object();
    j.text("drill", l.drill);
    j.number("line", l.line.line);
    j.text("text", l.line.text);
    j.text("why", l.line.why);
    j.end();
  }
  j.end();
}

}  // namespace floe::cli::drill
