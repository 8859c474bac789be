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

std::map<std::pair<std::string_view, std::string_view>, register_history> by_record(
    const history& h) {
  std::map<std::pair<std::string_view, std::string_view>, register_history> all;
  std::vector<std::size_t> wipes;
  for (std::size_t i = 0; i < h.ops.size(); ++i) {
    const auto& o = h.ops[i];
    if (o.kind == op_kind::wipe) wipes.push_back(i);
    if (o.kind == op_kind::wipe || h.transactional.contains(o.db)) continue;
    auto& r = all[{o.db, o.key}];
    r.all.push_back(i);
    const bool writes = o.kind == op_kind::store || o.kind == op_kind::erase;
    const bool sees = o.kind == op_kind::lock || o.kind == op_kind::read;
    if (writes && o.result != op_end::refused) r.writes.push_back(i);
    if (sees && o.result == op_end::done) r.sights.push_back(i);
  }
  for (const auto i : wipes)
    for (auto& [key, r] : all)
      if (key.first == h.ops[i].db) r.writes.push_back(i);
  for (auto& [key, r] : all) {
    std::ranges::stable_sort(r.writes, {}, [&](std::size_t i) { return h.ops[i].begin; });
    std::ranges::stable_sort(r.sights, {}, [&](std::size_t i) { return h.ops[i].end; });
    for (std::size_t i = 0; i < r.writes.size(); ++i)
      r.by_value[left_behind(h.ops[r.writes[i]])].push_back(i);
  }
  return all;
}

register_history without_the_dark(const history& h, register_history r) {
  std::erase_if(r.sights, [&](std::size_t s) {
    return h.in_the_dark(h.ops[s].node, h.ops[s].begin, h.ops[s].end);
  });
  return r;
}

std::optional<std::size_t> register_history::writer_of(const history& h, std::string_view value,
                                                       time_us until, std::size_t except) const {
  const auto those = by_value.find(value);
  if (those == by_value.end()) return std::nullopt;
  const auto& places = those->second;
  auto after = std::ranges::upper_bound(
      places, until, {}, [&](std::size_t place) { return h.ops[writes[place]].begin; });
  while (after != places.begin())
    if (const auto last = writes[*--after]; last != except) return last;
  return std::nullopt;
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

/// When each write was over, by its place. One that somebody sees has happened, whenever its client hears of its end, if ever:
/// from then on it may be lost as any other.
std::vector<time_us> over_times(const history& h, const register_history& r) {
  std::vector<time_us> all;
  all.reserve(r.writes.size());
  for (const auto w : r.writes) all.push_back(over_at(h.ops[w]));
  for (const auto s : r.sights) {
    const auto& sight = h.ops[s];
    if (sight.value.empty()) continue;  // many deletions leave the same
    const auto those = r.by_value.find(sight.value);
    if (those == r.by_value.end()) continue;
    const bool only_one = those->second.size() == 1;
    for (const auto place : those->second)
      if (all[place] == never || only_one) all[place] = std::min(all[place], sight.end);
  }
  return all;
}

/// Of the writes that can have left what was seen, the last one to be over: whoever wrote between two candidates came
/// after the earlier one, so the last one leaves the fewest writes unseen.
class candidates {
 public:
  candidates(const history& h, const register_history& r, const std::vector<time_us>& over)
      : h_(h), r_(r), over_(over) {}
  /// Nothing if nobody who began until then left this value.
  std::optional<time_us> last_over(std::string_view value, time_us until) {
    const auto those = r_.by_value.find(value);
    if (those == r_.by_value.end()) return std::nullopt;
    const auto& places = those->second;
    const auto after = std::ranges::upper_bound(
        places, until, {}, [this](std::size_t place) { return h_.ops[r_.writes[place]].begin; });
    if (after == places.begin()) return std::nullopt;
    if (places.size() == 1) return over_[places.front()];
    return latest_of(value, places)[static_cast<std::size_t>(after - places.begin()) - 1];
  }

 private:
  /// Of writes of one value, the latest end of all up to each.
  const std::vector<time_us>& latest_of(std::string_view value,
                                        const std::vector<std::size_t>& places) {
    auto& latest = latest_[value];
    for (std::size_t i = latest.size(); i < places.size(); ++i)
      latest.push_back(i == 0 ? over_[places[0]] : std::max(over_[places[i]], latest.back()));
    return latest;
  }

  const history& h_;
  const register_history& r_;
  const std::vector<time_us>& over_;
  std::unordered_map<std::string_view, std::vector<time_us>> latest_;
};

}  // namespace

std::vector<stale_sight> stale_sights(const history& h, const register_history& r) {
  std::vector<stale_sight> found;
  const auto times = over_times(h, r);
  // writes in the order in which they were over: those before a sight are a prefix
  std::vector<std::pair<time_us, std::size_t>> over;
  over.reserve(times.size());
  for (std::size_t i = 0; i < times.size(); ++i) over.emplace_back(times[i], r.writes[i]);
  std::ranges::stable_sort(over, {}, [](const auto& o) { return o.first; });
  candidates written_by(h, r, times);
  for (const auto s : r.sights) {
    const auto& sight = h.ops[s];
    const auto before =
        std::ranges::lower_bound(over, sight.begin, {}, [](const auto& o) { return o.first; });
    auto written = written_by.last_over(sight.value, sight.end);
    if (!written && sight.value.empty()) written = -1;  // before anybody wrote
    if (!written) {
      found.push_back({s, {}, true});
      continue;
    }
    std::vector<std::size_t> missing;
    for (auto i = before; i != over.begin() && std::prev(i)->first > *written; --i)
      if (const auto w = std::prev(i)->second; h.ops[w].begin > *written || saw(h, w, sight.value))
        missing.push_back(w);
    if (!missing.empty()) found.push_back({s, std::move(missing), false});
  }
  return found;
}

}  // namespace floe::cli::drill
