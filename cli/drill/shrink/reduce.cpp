#include "cli/drill/shrink/reduce.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace floe::cli::drill {
namespace {

script_lines without(const script_lines& lines, std::size_t from, std::size_t count) {
  auto rest = lines;
  const auto begin = rest.begin() + static_cast<std::ptrdiff_t>(from);
  rest.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(count, rest.size() - from)));
  return rest;
}

/// Takes the first candidate that fails; false: none does.
bool improve(script_lines& lines, const std::vector<script_lines>& candidates,
             const try_candidates& still_fails) {
  if (candidates.empty()) return false;
  const auto which = still_fails(candidates);
  if (which) lines = candidates[*which];
  return which.has_value();
}

/// Large pieces first, then smaller ones, single lines last.
bool drop_pieces(script_lines& lines, const try_candidates& still_fails) {
  bool any = false;
  for (auto size = std::max<std::size_t>(1, lines.size() / 2);;) {
    std::vector<script_lines> candidates;
    for (std::size_t at = 0; at < lines.size(); at += size)
      candidates.push_back(without(lines, at, size));
    if (improve(lines, candidates, still_fails)) {
      any = true;
      size = std::min(size, std::max<std::size_t>(1, lines.size() / 2));
      if (lines.empty()) break;
      continue;
    }
    if (size == 1) break;
    size = (size + 1) / 2;
  }
  return any;
}

std::set<std::string> words_of(const script_line& l) {
  std::set<std::string> all;
  std::string word;
  for (const char c : l.text + " ") {
    if (c != ' ' && c != ',' && c != ':' && c != '=') {
      word += c;
    } else {
      // numbers are nodes, times and counts: they name nothing
      if (!word.empty() && !std::isdigit(static_cast<unsigned char>(word.front())))
        all.insert(word);
      word.clear();
    }
  }
  for (const auto& b : l.blocks)
    for (const auto& inner : b) all.merge(words_of(inner));
  return all;
}

/// All lines that share a word.
bool drop_names(script_lines& lines, const try_candidates& still_fails) {
  std::map<std::string, std::set<std::size_t>> lines_with;
  for (std::size_t i = 0; i < lines.size(); ++i)
    for (const auto& w : words_of(lines[i])) lines_with[w].insert(i);
  std::set<std::set<std::size_t>> groups;
  for (const auto& [word, those] : lines_with)
    if (those.size() > 1 && those.size() < lines.size()) groups.insert(those);
  std::vector<std::set<std::size_t>> order(groups.begin(), groups.end());
  std::ranges::stable_sort(order, std::ranges::greater{}, [](const auto& g) { return g.size(); });
  std::vector<script_lines> candidates;
  for (const auto& g : order) {
    script_lines rest;
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (!g.contains(i)) rest.push_back(lines[i]);
    candidates.push_back(std::move(rest));
  }
  return improve(lines, candidates, still_fails);
}

/// Two lines that only make sense together.
bool drop_pairs(script_lines& lines, const try_candidates& still_fails) {
  constexpr std::size_t most_lines = 40;  // 780 pairs
  if (lines.size() > most_lines) return false;
  std::vector<script_lines> candidates;
  for (std::size_t i = 0; i < lines.size(); ++i)
    for (std::size_t j = i + 1; j < lines.size(); ++j)
      candidates.push_back(without(without(lines, j, 1), i, 1));
  return improve(lines, candidates, still_fails);
}

/// Fewer turns, one choice instead of a block, and fewer lines in it.
bool drop_in_blocks(script_lines& lines, const try_candidates& still_fails) {
  bool any = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].blocks.empty()) continue;
    std::vector<script_lines> candidates;
    for (const auto& b : lines[i].blocks) {
      auto copy = without(lines, i, 1);
      copy.insert(copy.begin() + static_cast<std::ptrdiff_t>(i), b.begin(), b.end());
      candidates.push_back(std::move(copy));
    }
    for (auto times = lines[i].times / 2; times > 1; times /= 2) {
      auto copy = lines;
      copy[i].times = times;
      candidates.push_back(std::move(copy));
    }
    for (std::size_t b = 0; lines[i].blocks.size() > 1 && b < lines[i].blocks.size(); ++b) {
      auto copy = lines;
      copy[i].blocks.erase(copy[i].blocks.begin() + static_cast<std::ptrdiff_t>(b));
      candidates.push_back(std::move(copy));
    }
    if (improve(lines, candidates, still_fails)) return true;
    for (std::size_t b = 0; b < lines[i].blocks.size(); ++b) {
      auto inner = lines[i].blocks[b];
      const auto before = count_of(inner);
      inner = reduce(inner, [&](const std::vector<script_lines>& shorter) {
        std::vector<script_lines> whole;
        for (const auto& s : shorter) {
          auto copy = lines;
          copy[i].blocks[b] = s;
          whole.push_back(std::move(copy));
        }
        return still_fails(whole);
      });
      any |= count_of(inner) < before;
      lines[i].blocks[b] = std::move(inner);
    }
  }
  return any;
}

}  // namespace

script_lines reduce(script_lines lines, const try_candidates& still_fails) {
  for (bool again = true; again && !lines.empty();) {
    drop_pieces(lines, still_fails);
    again = drop_names(lines, still_fails) || drop_in_blocks(lines, still_fails) ||
            drop_pairs(lines, still_fails);
  }
  return lines;
}

}  // namespace floe::cli::drill
