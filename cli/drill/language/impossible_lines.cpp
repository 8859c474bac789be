#include "cli/drill/language/impossible_lines.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace floe::cli::drill {
namespace {

std::optional<std::string> why_not(const statement& s, const refusal& cannot) {
  for (const auto need : s.needs)
    if (auto why = cannot(need)) return why;
  return std::nullopt;
}

void collect(const std::vector<statement>& lines, const refusal& cannot,
             std::vector<impossible_line>& into) {
  for (const auto& l : lines) {
    if (auto why = why_not(l, cannot)) into.push_back({l.line, l.text, std::move(*why)});
    for (const auto& b : l.blocks) collect(b, cannot, into);
  }
}

void leave_out(std::vector<statement>& lines, const refusal& cannot) {
  std::erase_if(lines, [&](const statement& l) { return why_not(l, cannot).has_value(); });
  for (auto& l : lines)
    for (auto& b : l.blocks) leave_out(b, cannot);
}

}  // namespace

std::vector<impossible_line> impossible_lines(const script& s, const refusal& cannot) {
  std::vector<impossible_line> all;
  collect(s.body, cannot, all);
  return all;
}

bool needs(const script& s, ability wanted) {
  return !impossible_lines(s, [wanted](ability a) {
            return a == wanted ? std::optional<std::string>("") : std::nullopt;
          }).empty();
}

script without_impossible(script s, const refusal& cannot) {
  leave_out(s.body, cannot);
  return s;
}

}  // namespace floe::cli::drill
