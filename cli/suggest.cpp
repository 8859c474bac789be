#include "cli/suggest.hpp"

#include <algorithm>
#include <vector>

namespace floe::cli {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Edits to get from one to the other; neighbours that changed places count as one.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1]))
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

std::optional<std::string_view> closest(std::string_view written,
                                        std::span<const std::string_view> candidates) {
  constexpr std::size_t longest_name = 64;
  std::optional<std::string_view> best;
  if (written.size() > longest_name) return best;  // no typing mistake, and slow to compare
  std::size_t least = std::max<std::size_t>(2, written.size() / 3) + 1;
  for (const auto c : candidates) {
    const auto d = distance(written, c);
    if (d < least && d < c.size()) {
      least = d;
      best = c;
    }
  }
  return best;
}

}  // namespace floe::cli
