#include "cli/drill/checker/register_history.hpp"

#include <algorithm>

namespace floe::cli::drill {
namespace {

/// The value after it; empty: no record.
const std::string& left_behind(const operation& w) {
  static const std::string none;
  return w.kind == op_kind::erase ? none : w.value;
}
time_us over_at(const operation& w) { return w.result == op_end::done ? w.end : never; }

}  // namespace

std::map<std::pair<std::string, std::string>, register_history> by_record(const history& h) {
  std::map<std::pair<std::string, std::string>, register_history> all;
  for (std::size_t i = 0; i < h.ops.size(); ++i) {
    const auto& o = h.ops[i];
    auto& r = all[{o.db, o.key}];
    r.all.push_back(i);
    const bool writes = o.kind == op_kind::store || o.kind == op_kind::erase;
    const bool sees = o.kind == op_kind::lock || o.kind == op_kind::read;
    if (writes && o.result != op_end::refused) r.writes.push_back(i);
    if (sees && o.result == op_end::done) r.sights.push_back(i);
  }
  for (auto& [key, r] : all)
    std::ranges::stable_sort(r.sights, {}, [&](std::size_t i) { return h.ops[i].end; });
  return all;
}

std::vector<stale_sight> stale_sights(const history& h, const register_history& r) {
  std::vector<stale_sight> found;
  std::multimap<std::string, std::size_t> by_value;
  for (const auto w : r.writes) by_value.emplace(left_behind(h.ops[w]), w);
  // writes in the order in which they were over: those before a sight are a prefix
  auto over = r.writes;
  std::ranges::stable_sort(over, {}, [&](std::size_t i) { return over_at(h.ops[i]); });
  std::vector<time_us> ends;
  for (const auto w : over) ends.push_back(over_at(h.ops[w]));
  for (const auto s : r.sights) {
    const auto& sight = h.ops[s];
    const auto before = std::ranges::lower_bound(ends, sight.begin) - ends.begin();
    // of the candidates for what was seen, the one that leaves the fewest writes unseen
    std::optional<std::vector<std::size_t>> best;
    const auto consider = [&](time_us written) {
      std::vector<std::size_t> missing;
      for (auto i = before; i > 0 && ends[static_cast<std::size_t>(i - 1)] > written; --i)
        if (const auto w = over[static_cast<std::size_t>(i - 1)]; h.ops[w].begin > written) missing.push_back(w);
      if (!best || missing.size() < best->size()) best = std::move(missing);
    };
    const auto [first, last] = by_value.equal_range(sight.value);
    for (auto i = first; i != last; ++i)
      if (h.ops[i->second].begin <= sight.end) consider(over_at(h.ops[i->second]));
    if (sight.value.empty() && (!best || !best->empty())) consider(-1);
    if (!best)
      found.push_back({s, {}, true});
    else if (!best->empty())
      found.push_back({s, std::move(*best), false});
  }
  return found;
}

namespace {

/// Whether what this write left goes back to `origin`, write by write, by what each writer had seen.
bool descends(const history& h, const register_history& r, std::size_t write, std::size_t origin) {
  for (std::size_t steps = 0; steps <= r.writes.size(); ++steps) {
    if (write == origin) return true;
    const auto& w = h.ops[write];
    if (w.begin < h.ops[origin].begin || w.under >= h.ops.size()) return false;
    const auto& seen = h.ops[w.under].value;
    const auto before = std::ranges::find_if(r.writes, [&](std::size_t i) {
      return left_behind(h.ops[i]) == seen && h.ops[i].begin <= w.begin && i != write;
    });
    if (before == r.writes.end()) return false;
    write = *before;
  }
  return false;
}

bool saw_it(const history& h, const register_history& r, const operation& o, std::size_t write) {
  return std::ranges::any_of(r.writes, [&](std::size_t w) {
    return left_behind(h.ops[w]) == o.value && h.ops[w].begin <= o.end && descends(h, r, w, write);
  });
}

}  // namespace

bool loss_is_explained(const history& h, const register_history& r, std::size_t write) {
  const auto since = h.ops[write].begin;
  if (h.disturbed(h.ops[write].node, since)) return true;
  return std::ranges::any_of(r.all, [&](std::size_t i) {
    const auto& o = h.ops[i];
    const bool sees = o.kind == op_kind::lock || o.kind == op_kind::read;
    if (o.final_look || !sees || o.end < since || !h.disturbed(o.node, since)) return false;
    if (o.result == op_end::done) return saw_it(h, r, o, write);
    // perhaps the record was on its way there when that node was lost
    return std::ranges::any_of(h.disturbances, [&](const disturbance& d) {
      return d.node == o.node && d.to >= since && (d.flaky || d.from >= o.begin);
    });
  });
}

}  // namespace floe::cli::drill
