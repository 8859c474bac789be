#include "protocol/rules/hot_keys.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "protocol/rules/elapsed.hpp"

namespace floe {
namespace {

/// Below it a key has rested for a minute or so.
constexpr double forgotten = 0.02;

}  // namespace

double hot_keys::entry::weight_at(time_point now) const {
  return weight * std::exp2(-in_seconds(now - at) / in_seconds(half_life));
}

void hot_keys::count(byte_view key, time_point now, std::uint32_t hops) {
  if (const auto known = std::ranges::find(entries_, key, &entry::key); known != entries_.end()) {
    known->weight = known->weight_at(now) + 1;
    known->at = now;
    known->hops = std::max(known->hops, hops);
    return;
  }
  if (entries_.size() < capacity) {
    entries_.push_back({.key = bytes(key), .weight = 1, .at = now, .hops = hops});
    return;
  }
  auto coldest =
      std::ranges::min_element(entries_, {}, [&](const entry& e) { return e.weight_at(now); });
  *coldest = {.key = bytes(key), .weight = coldest->weight_at(now) + 1, .at = now, .hops = hops};
}

std::vector<hot_record> hot_keys::top(std::size_t most, time_point now) const {
  std::vector<hot_record> all;
  for (const entry& e : entries_)
    if (const double w = e.weight_at(now); w > forgotten)
      all.push_back(
          {.key = e.key, .rate = w * std::numbers::ln2 / in_seconds(half_life), .hops = e.hops});
  std::ranges::sort(all, [](const hot_record& a, const hot_record& b) {
    return a.rate != b.rate ? a.rate > b.rate : a.key < b.key;
  });
  if (all.size() > most) all.resize(most);
  return all;
}

}  // namespace floe
