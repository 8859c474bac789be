#include "protocol/rules/vacuum.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "protocol/mutant.hpp"

namespace floe {

vacuum_step decide_vacuum(pnn self, pnn lmaster, const std::optional<deleted_record>& local,
                          bool in_use) {
  using enum vacuum_step;
  if (!local || !local->empty || local->header.dmaster != self) return forget;
  // read-only copies are out: the next writer calls them back, and deletes it anew
  if (local->header.flags & record_flag::ro_all) return forget;
  if (in_use || lmaster == pnn::unknown) return later;
  return lmaster == self ? ask_all : send_home;
}

void deletion_queue::add(byte_view key, time_point since, unsigned refusals) {
  if (find_.contains(key)) return;
  order_.push_back({.key = bytes(key), .since = since, .refusals = refusals});
  find_.emplace(order_.back().key, std::prev(order_.end()));
  key_bytes_ += key.size();
}

void deletion_queue::remove(byte_view key) {
  if (order_.empty()) return;
  const auto found = find_.find(key);
  if (found == find_.end()) return;
  const auto at = found->second;
  key_bytes_ -= key.size();
  find_.erase(found);
  order_.erase(at);
}

std::optional<deletion_queue::entry> deletion_queue::take() {
  if (order_.empty()) return std::nullopt;
  find_.erase(order_.front().key);
  auto first = std::move(order_.front());
  order_.pop_front();
  key_bytes_ -= first.key.size();
  return first;
}

void deletion_queue::clear() {
  find_.clear();
  order_.clear();
  key_bytes_ = 0;
}

void agreed_deletion::begin(std::vector<offered_deletion> offered, std::span<const pnn> others) {
  assert(!running_ && "deletions are offered while others are");
  assert(!offered.empty());
  running_ = true;
  silent_ = false;
  ++number_;
  offered_ = std::move(offered);
  waiting_for_.assign(others.begin(), others.end());
  refused_.clear();
  for (const auto& o : offered_) refused_.emplace(o.what.key, false);
}

void agreed_deletion::answered(std::uint64_t number, pnn node,
                               const std::optional<std::vector<bytes>>& kept) {
  if (!running_ || number != number_) return;
  const auto asked = std::ranges::find(waiting_for_, node);
  assert(asked != waiting_for_.end() && "a node answers twice");
  waiting_for_.erase(asked);
  if (!kept) {
    silent_ = true;
    return;
  }
  for (const bytes& key : *kept)
    if (const auto r = refused_.find(key); r != refused_.end()) r->second = true;
}

std::vector<agreed_deletion::result> agreed_deletion::end() {
  assert(running_);
  const bool all_said = waiting_for_.empty() && !silent_;
  std::vector<result> results;
  results.reserve(offered_.size());
  for (auto& o : offered_) {
    const bool refused = refused_.at(o.what.key);
    const bool agreed =
        all_said || (&o == &offered_.back() && mutated(mutant::vacuum_skips_the_last));
    const auto said = refused ? outcome::refused : agreed ? outcome::agreed : outcome::unknown;
    results.push_back({.what = o, .outcome = said});
  }
  running_ = false;
  refused_.clear();
  offered_.clear();
  waiting_for_.clear();
  return results;
}

std::optional<std::vector<pnn>> who_must_agree(pnn self, std::span<const vacuum_peer> nodes,
                                               std::span<const pnn> map) {
  std::vector<pnn> all;
  for (const auto& n : nodes) {
    const bool member = std::ranges::find(map, n.node) != map.end();
    if (member && !(n.connected && n.active)) return std::nullopt;
    if (n.node != self && n.connected && n.active) all.push_back(n.node);
  }
  return all;
}

try_delete_outcome decide_try_delete(pnn self, pnn lmaster,
                                     const std::optional<record_header>& local,
                                     const record_header& offered, bool in_use) {
  using enum try_delete_outcome;
  // the lmaster tracks the record: it drops its copy last, and only by itself
  if (lmaster == self || in_use) return keep;
  if (!local) return gone;
  if (local->dmaster == self) return keep;
  if (local->rsn > offered.rsn) return keep;
  if ((local->flags | offered.flags) & record_flag::ro_all) return keep;
  return drop;
}

std::string_view name(vacuum_step s) {
  switch (s) {
    case vacuum_step::forget: return "forget";
    case vacuum_step::later: return "later";
    case vacuum_step::send_home: return "send_home";
    case vacuum_step::ask_all: return "ask_all";
  }
  std::unreachable();
}

}  // namespace floe
