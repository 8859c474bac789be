#include "cli/drill/checker/register_history.hpp"

#include <algorithm>

namespace floe::cli::drill {
namespace {

/// The value after it; empty: no record.
const std::string& left_behind(const operation& w) {
  static const std::string none;
  return w.kind == op_kind::store ? w.value : none;
}
time_us over_at(const operation& w) { return w.result == op_end::done ? w.end : never; }

}  // namespace

std::map<std::pair<std::string, std::string>, register_history> by_record(const history& h) {
  std::map<std::pair<std::string, std::string>, register_history> all;
  for (std::size_t i = 0; i < h.ops.size(); ++i) {
    const auto& o = h.ops[i];
    if (o.kind == op_kind::wipe || h.transactional.contains(o.db)) continue;
    auto& r = all[{o.db, o.key}];
    r.all.push_back(i);
    const bool writes = o.kind == op_kind::store || o.kind == op_kind::erase;
    const bool sees = o.kind == op_kind::lock || o.kind == op_kind::read;
    if (writes && o.result != op_end::refused) r.writes.push_back(i);
    if (sees && o.result == op_end::done) r.sights.push_back(i);
  }
  for (std::size_t i = 0; i < h.ops.size(); ++i)
    if (h.ops[i].kind == op_kind::wipe)
      for (auto& [key, r] : all)
        if (key.first == h.ops[i].db) r.writes.push_back(i);
  for (auto& [key, r] : all) {
    std::ranges::stable_sort(r.writes, {}, [&](std::size_t i) { return h.ops[i].begin; });
    std::ranges::stable_sort(r.sights, {}, [&](std::size_t i) { return h.ops[i].end; });
    for (const auto w : r.writes) r.by_value.emplace(left_behind(h.ops[w]), w);
  }
  return all;
}

register_history without_the_dark(const history& h, register_history r) {
  std::erase_if(r.sights, [&](std::size_t s) {
    return h.in_the_dark(h.ops[s].node, h.ops[s].begin, h.ops[s].end);
  });
  return r;
}

std::optional<std::size_t> register_history::writer_of(const history& h, const std::string& value,
                                                       time_us until, std::size_t except) const {
  std::optional<std::size_t> last;
  const auto [first, end] = by_value.equal_range(value);
  for (auto i = first; i != end; ++i)
    if (i->second != except && h.ops[i->second].begin <= until &&
        (!last || h.ops[i->second].begin >= h.ops[*last].begin))
      last = i->second;
  return last;
}

namespace {

/// Whoever wrote this had seen that value under the same lock: the write came after it, even if it was over before the
/// writer of the value had heard that his was.
bool saw(const history& h, std::size_t write, const std::string& value) {
  if (h.ops[write].kind == op_kind::wipe) return false;
  const auto lock = h.ops[write].under;
  return !value.empty() && lock < h.ops.size() && h.ops[lock].kind == op_kind::lock &&
         h.ops[lock].value == value && left_behind(h.ops[write]) != value;
}

/// When each write was over. One that somebody sees has happened, whenever its client hears of its end, if ever: from then on
/// it may be lost as any other.
std::map<std::size_t, time_us> over_times(const history& h, const register_history& r) {
  std::map<std::size_t, time_us> all;
  for (const auto w : r.writes) all[w] = over_at(h.ops[w]);
  for (const auto s : r.sights) {
    const auto& sight = h.ops[s];
    if (sight.value.empty()) continue;  // many deletions leave the same
    const auto [first, last] = r.by_value.equal_range(sight.value);
    for (auto i = first; i != last; ++i) {
      auto& over = all[i->second];
      const bool only_one = std::next(first) == last;
      if (over == never || only_one) over = std::min(over, sight.end);
    }
  }
  return all;
}

/// Of the writes that can have left what was seen, the last one to be over: whoever wrote between two candidates came
/// after the earlier one, so the last one leaves the fewest writes unseen. Writes of one value, by their begin, with the
/// latest end of all up to each.
class candidates {
 public:
  candidates(const history& h, const register_history& r,
             const std::map<std::size_t, time_us>& over) {
    for (const auto& [value, write] : r.by_value)
      of_[value].push_back({h.ops[write].begin, over.at(write)});
    for (auto& [value, all] : of_) {
      std::ranges::stable_sort(all, {}, &one::begin);
      for (std::size_t i = 1; i < all.size(); ++i)
        all[i].over = std::max(all[i].over, all[i - 1].over);
    }
  }
  /// Nothing if nobody who began until then left this value.
  std::optional<time_us> last_over(const std::string& value, time_us until) const {
    const auto all = of_.find(value);
    if (all == of_.end()) return std::nullopt;
    const auto after = std::ranges::upper_bound(all->second, until, {}, &one::begin);
    if (after == all->second.begin()) return std::nullopt;
    return std::prev(after)->over;
  }

 private:
  struct one {
    time_us begin, over;
  };
  std::map<std::string_view, std::vector<one>> of_;
};

}  // namespace

std::vector<stale_sight> stale_sights(const history& h, const register_history& r) {
  std::vector<stale_sight> found;
  const auto times = over_times(h, r);
  // writes in the order in which they were over: those before a sight are a prefix
  auto over = r.writes;
  std::ranges::stable_sort(over, {}, [&](std::size_t i) { return times.at(i); });
  std::vector<time_us> ends;
  for (const auto w : over) ends.push_back(times.at(w));
  const candidates written_by(h, r, times);
  for (const auto s : r.sights) {
    const auto& sight = h.ops[s];
    const auto before = std::ranges::lower_bound(ends, sight.begin) - ends.begin();
    auto written = written_by.last_over(sight.value, sight.end);
    if (!written && sight.value.empty()) written = -1;  // before anybody wrote
    if (!written) {
      found.push_back({s, {}, true});
      continue;
    }
    std::vector<std::size_t> missing;
    for (auto i = before; i > 0 && ends[static_cast<std::size_t>(i - 1)] > *written; --i)
      if (const auto w = over[static_cast<std::size_t>(i - 1)];
          h.ops[w].begin > *written || saw(h, w, sight.value))
        missing.push_back(w);
    if (!missing.empty()) found.push_back({s, std::move(missing), false});
  }
  return found;
}

}  // namespace floe::cli::drill
