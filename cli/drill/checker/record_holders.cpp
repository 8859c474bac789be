#include "cli/drill/checker/record_holders.hpp"

#include <algorithm>
#include <optional>
#include <set>

namespace floe::cli::drill {
namespace {

constexpr auto nowhere = static_cast<std::size_t>(-1);

/// The write that its writer had seen. One that stands behind it in the history cannot be it.
std::size_t before(const history& h, const register_history& r, std::size_t write) {
  const auto& w = h.ops[write];
  if (w.under >= h.ops.size()) return nowhere;
  const auto seen = r.writer_of(h, h.ops[w.under].value, w.begin, write);
  return seen && *seen < write ? *seen : nowhere;
}

}  // namespace

bool gives_its_copy(const history& h, const record_holder& x, const database_recovery& r) {
  return x.since <= r.at && r.from.contains(x.node) && !h.harmed(x.node, x.from, r.at, x.connected);
}

record_holders::record_holders(const history& h, const observations& s, const register_history& r)
    : h_(h), seen_(s), r_(r) {
  put_in_order();
  find_sights();
  for (const auto& recovery : s.recoveries)
    if (!r.writes.empty() && recovery.db == h.ops[r.writes.front()].db)
      recoveries_.push_back(recovery.at);
  std::ranges::sort(recoveries_);
}

void record_holders::put_in_order() {
  std::map<std::size_t, std::vector<std::size_t>> after;
  for (const auto w : r_.writes) after[before(h_, r_, w)].push_back(w);
  std::vector<std::size_t> to_go = after[nowhere], open;
  while (!to_go.empty()) {
    const auto w = to_go.back();
    if (!open.empty() && open.back() == w) {  // all that came of it has its place
      spans_[w].last = order_.size();
      open.pop_back();
      to_go.pop_back();
      continue;
    }
    spans_[w].first = order_.size();
    order_.push_back(w);
    open.push_back(w);
    if (const auto of = after.find(w); of != after.end())
      to_go.insert(to_go.end(), of->second.begin(), of->second.end());
  }
}

void record_holders::find_sights() {
  sights_.resize(order_.size());
  for (const auto s : r_.sights) {
    const auto& o = h_.ops[s];
    if (o.final_look) continue;
    if (const auto writer = r_.writer_of(h_, o.value, o.end, h_.ops.size()))
      sights_[spans_.at(*writer).first].push_back(s);
  }
}

void record_holders::add(latest_sights& latest, const operation& o) const {
  const auto recovered = std::ranges::lower_bound(recoveries_, o.end) - recoveries_.begin();
  const record_holder x{o.node, o.end, o.begin, o.connected};
  const auto [known, is_new] = latest.try_emplace({recovered, o.node, o.connected}, x);
  if (!is_new && x.from >= known->second.from) known->second = x;
}

void record_holders::add(latest_sights& latest, span all, time_us until) const {
  for (auto place = all.first; place < all.last; ++place) {
    if (const auto& w = h_.ops[order_[place]]; w.result == op_end::done && w.end <= until)
      add(latest, w);
    for (const auto s : sights_[place])
      if (h_.ops[s].end <= until) add(latest, h_.ops[s]);
  }
}

std::vector<record_holder> record_holders::of(std::size_t write, time_us until) {
  const auto all_of = spans_.at(write);
  auto& found = found_[until];
  if (all_of.first > found.of.first || all_of.last < found.of.last || found.latest.empty())
    found = {.of = {all_of.first, all_of.first}, .latest = {}};
  add(found.latest, {all_of.first, found.of.first}, until);
  add(found.latest, {found.of.last, all_of.last}, until);
  found.of = all_of;
  std::vector<record_holder> all;
  for (const auto& [where, x] : found.latest) all.push_back(x);
  const auto& w = h_.ops[write];
  if (w.result == op_end::done) all.push_back({w.node, w.end, w.begin, w.connected});
  if (w.everywhere) {
    std::set<std::size_t> nodes;
    for (const auto& r : seen_.recoveries) nodes.insert(r.from.begin(), r.from.end());
    for (const auto n : nodes) all.push_back({n, w.end, w.end});
  }
  for (const auto& r : seen_.recoveries) {
    if (r.db != w.db || r.at > until) continue;
    if (!std::ranges::any_of(all, [&](const auto& x) { return gives_its_copy(h_, x, r); }))
      continue;
    for (const auto& [node, at] : r.committed)
      if (at <= until) all.push_back({node, at, at});
  }
  std::ranges::stable_sort(all, {}, &record_holder::since);
  return all;
}

}  // namespace floe::cli::drill
