#include "cli/drill/checker/content_history.hpp"

#include <algorithm>
#include <utility>

namespace floe::cli::drill {

content_history::content_history(const history& h, const observations& s, std::string db)
    : history_(h) {
  for (const auto& r : s.recoveries)
    if (r.db == db && !r.committed.empty()) recoveries_.push_back(&r);
  std::ranges::stable_sort(recoveries_, {}, &database_recovery::at);
}

content_history::content content_history::of(std::size_t node, time_us t) const {
  time_us since = -1;
  auto found = content::first;
  for (std::size_t i = 0; i < recoveries_.size(); ++i)
    if (const auto c = recoveries_[i]->committed.find(node);
        c != recoveries_[i]->committed.end() && c->second <= t && c->second > since) {
      since = c->second;
      found = content{i};
    }
  for (const auto& d : history_.disturbances)
    if (d.node == node && d.how == fault_kind::lost && d.from > since && d.from <= t)
      return content::unknown;
  return found;
}

bool content_history::came_after(content c, content earlier) const {
  std::vector<content> open{c};
  std::vector<bool> seen(recoveries_.size());
  while (!open.empty()) {
    const auto at = open.back();
    open.pop_back();
    if (at == earlier) return true;
    if (at == content::first || at == content::unknown || seen[std::to_underlying(at)]) continue;
    seen[std::to_underlying(at)] = true;
    const auto& r = *recoveries_[std::to_underlying(at)];
    for (const auto source : r.from) open.push_back(of(source, r.at));
    for (const auto& [node, when] : r.committed) open.push_back(of(node, when - 1));
  }
  return false;
}

bool content_history::apart(std::size_t one, time_us then, std::size_t other, time_us now) const {
  const auto a = of(one, then), b = of(other, now);
  // of a node that was started again, and was in no recovery since, it is not known who shares its content
  if (a == content::unknown || b == content::unknown) return false;
  return !came_after(a, b) && !came_after(b, a);
}

}  // namespace floe::cli::drill
