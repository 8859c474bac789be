#include <algorithm>
#include <map>

#include "cli/drill/report/run_record.hpp"

namespace floe::cli {
namespace {

/// How much of [from, to] the spans cover together.
std::int64_t covered(std::vector<span> spans, std::int64_t from, std::int64_t to) {
  std::ranges::sort(spans, {}, &span::from_us);
  std::int64_t sum = 0, reached = from;
  for (const auto& s : spans) {
    const auto begin = std::max(s.from_us, reached), end = std::min(s.to_us, to);
    if (end > begin) sum += end - begin;
    reached = std::max(reached, std::min(s.to_us, to));
  }
  return sum;
}

/// States that follow each other without a gap are one stretch to whoever waits.
std::int64_t longest_stretch(const std::vector<span>& spans) {
  std::int64_t longest = 0, from = 0, to = -1;
  for (const auto& s : spans) {
    if (to < 0 || s.from_us > to) from = s.from_us;
    to = std::max(to, s.to_us);
    longest = std::max(longest, to - from);
  }
  return longest;
}

}  // namespace

std::vector<unavailability> unavailable_times(const run_record& r) {
  std::map<std::string, unavailability> by_db;
  std::map<std::string, std::vector<span>> spans;
  for (const auto& row : r.picture.rows) {
    if (row.db.empty()) continue;
    auto& u = by_db[row.db];
    u.db = row.db;
    const auto longest = longest_stretch(row.spans);
    if (longest > u.longest_us) {
      u.longest_us = longest;
      u.node = row.node;
    }
    auto& all = spans[row.db];
    all.insert(all.end(), row.spans.begin(), row.spans.end());
  }
  for (const auto& [db, us] : r.longest_wait_us) {
    auto& u = by_db[db];
    u.db = db;
    u.longest_wait_us = us;
  }
  std::vector<unavailability> result;
  for (auto& [db, u] : by_db) {
    u.total_us = covered(spans[db], r.picture.from_us, r.picture.to_us);
    for (std::size_t i = 0; i < r.faults.size(); ++i)
      u.by_fault_us.push_back(
          covered(spans[db], r.faults[i].from_us,
                  i + 1 < r.faults.size() ? r.faults[i + 1].from_us : r.picture.to_us));
    result.push_back(std::move(u));
  }
  std::ranges::stable_sort(result, std::ranges::greater{}, &unavailability::total_us);
  return result;
}

}  // namespace floe::cli
