#include "cli/drill/possible.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace floe::cli::drill {
namespace {

std::optional<std::string> why_not(const statement& s, const ground& g) {
  for (const auto need : s.needs)
    if (auto why = g.cannot(need)) return why;
  return std::nullopt;
}

void collect(const std::vector<statement>& lines, const ground& g, std::vector<impossible_line>& into) {
  for (const auto& l : lines) {
    if (auto why = why_not(l, g)) into.push_back({l.line, l.text, std::move(*why)});
    for (const auto& b : l.blocks) collect(b, g, into);
  }
}

void leave_out(std::vector<statement>& lines, const ground& g) {
  std::erase_if(lines, [&](const statement& l) { return why_not(l, g).has_value(); });
  for (auto& l : lines)
    for (auto& b : l.blocks) leave_out(b, g);
}

}  // namespace

std::vector<impossible_line> impossible_lines(const script& s, const ground& g) {
  std::vector<impossible_line> all;
  collect(s.body, g, all);
  return all;
}

script without_impossible(script s, const ground& g) {
  leave_out(s.body, g);
  return s;
}

}  // namespace floe::cli::drill
