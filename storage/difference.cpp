#include "storage/difference.hpp"

#include <algorithm>
#include <numeric>

namespace floe {
namespace {

std::optional<record_view> shown(bool there, const record_view& r) {
  return there ? std::optional(r) : std::nullopt;
}

}  // namespace

difference_merge::entry& difference_merge::entry_of(byte_view key) {
  const auto [i, is_new] = index_.try_emplace(key, entries_.size());
  if (is_new) entries_.push_back({.key = key, .changed = {}, .base = {}});
  return entries_[i->second];
}

void difference_merge::changed(pnn member, byte_view key, const std::optional<record_view>& has) {
  auto& e = entry_of(key);
  if (std::ranges::find(e.changed, member, &copy::from) != e.changed.end()) return;
  e.changed.push_back({member, has.has_value(), has.value_or(record_view{})});
}

void difference_merge::unchanged(pnn member, byte_view key, const std::optional<record_view>& has) {
  entry_of(key).base = {member, has.has_value(), has.value_or(record_view{})};
}

/// The members that have not changed it.
std::vector<pnn> difference_merge::without(const entry& e) const {
  std::vector<pnn> rest;
  for (pnn m : members_)
    if (std::ranges::find(e.changed, m, &copy::from) == e.changed.end()) rest.push_back(m);
  return rest;
}

std::map<pnn, std::vector<byte_view>> difference_merge::missing() const {
  std::map<pnn, std::vector<byte_view>> asked;
  for (const auto& e : entries_) {
    if (e.base || e.changed.size() == members_.size()) continue;
    const auto rest = without(e);
    const bool first = std::ranges::find(rest, asked_first_) != rest.end();
    asked[first ? asked_first_ : rest.front()].push_back(e.key);
  }
  return asked;
}

bool difference_merge::decide(function_ref<void(const decision&)> visitor) const {
  for (const auto& e : entries_)
    if (!e.base && e.changed.size() < members_.size()) return false;
  std::vector<std::pair<ordered_key, std::size_t>> order;
  order.reserve(entries_.size());
  for (std::size_t i = 0; i < entries_.size(); ++i)
    order.emplace_back(ordered_key(entries_[i].key), i);
  std::ranges::sort(order, [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [key, i] : order) visitor(decide(entries_[i]));
  return true;
}

difference_merge::decision difference_merge::decide(const entry& e) const {
  const auto rest = without(e);
  std::optional<changed_claim> best;
  record_view winner;
  const auto offer = [&](const copy& c, pnn holder, bool is_changed) {
    const changed_claim claim{.header = c.record.header, .holder = holder, .changed = is_changed};
    if (!c.there || (best && !beats(claim, *best))) return;
    best = claim;
    winner = c.record;
  };
  for (const auto& c : e.changed) offer(c, c.from, true);
  if (!rest.empty()) {
    // the base's copy is its owner's, where the owner has not changed it
    const bool owned = std::ranges::find(rest, e.base->record.header.dmaster) != rest.end();
    offer(*e.base, owned ? e.base->record.header.dmaster : rest.front(), false);
  }
  decision d{.key = e.key};
  if (best)
    if (const auto h = kept_header(winner.header, !winner.data.empty()))
      d.winner = record_view{e.key, *h, winner.data};
  const auto lacks = [&](const copy& c) {
    const auto has = shown(c.there, c.record);
    return has.has_value() != d.winner.has_value() ||
           (has && (has->header != d.winner->header || has->data != d.winner->data));
  };
  for (const auto& c : e.changed)
    if (lacks(c)) d.lack.push_back(c.from);
  if (!rest.empty() && lacks(*e.base)) d.lack.insert(d.lack.end(), rest.begin(), rest.end());
  d.lack.insert(d.lack.end(), behind_.begin(), behind_.end());
  std::ranges::sort(d.lack);
  return d;
}

}  // namespace floe
