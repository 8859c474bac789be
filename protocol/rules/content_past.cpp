#include "protocol/rules/content_past.hpp"

#include <algorithm>

#include "protocol/mutant.hpp"
#include "protocol/rules/lineage.hpp"

namespace floe {
namespace {

/// Whether the leader's life that has made `later` had made `earlier` before, or both are one. What a client put there is
/// nobody's life, and what a ctdbd has named has no order.
bool follows(generation later, generation earlier) {
  if (later == earlier) return true;
  return !is_replaced(later) && !is_replaced(earlier) && same_life(later, earlier) &&
         is_later(later, earlier);
}

/// As one of those that a content came from, if it is not known.
void remember(std::vector<generation>& from, generation g) {
  if (std::ranges::any_of(from, [&](generation later) { return follows(later, g); })) return;
  std::erase_if(from, [&](generation earlier) { return follows(g, earlier); });
  if (from.size() < past_limit) from.push_back(g);
}

}  // namespace

bool came_from(const content_past& p, generation g) {
  return g != generation::invalid &&
         std::ranges::any_of(p.from, [&](generation later) { return follows(later, g); });
}

content_past gone_on(content_past p, generation to, bool changed) {
  if (to == generation::invalid) return p;
  std::erase_if(p.from, [&](generation g) { return follows(to, g); });
  p.from.insert(p.from.begin(), to);
  if (p.from.size() > past_limit) p.from.resize(past_limit);
  if (changed) p.written = to;
  return p;
}

content_past left_with(content_past told, generation recovery) {
  if (mutated(mutant::leaver_came_from_there)) return gone_on(std::move(told), recovery, false);
  return told;
}

content_past written_in(content_past p, generation g) { return gone_on(std::move(p), g, true); }

bool gives_way(const content_past& one, const content_past& other) {
  if (one.from.empty() || other.from.empty()) return false;
  const bool knows_ours = came_from(other, one.written);
  const bool known_to_us = came_from(one, other.written);
  if (knows_ours != known_to_us) return knows_ours;
  if (!knows_ours) return false;  // two histories
  // nothing was written since they parted; who has been recovered without the other has told its clients what there is
  return came_from(other, one.from.front()) && !came_from(one, other.from.front());
}

/// Copies of one generation have one past, as far as each of them remembers it. A node that was given the content knows less of
/// when it was written than who has had it all the time, or nothing; but a transaction that only some of them have is in the
/// highest number.
content_past shared_past(const past_claim& of, std::span<const past_claim> all) {
  auto past = of.past;
  if (past.from.empty()) return past;
  const generation own = past.from.front();
  const auto is_here = [&](const past_claim& c) {
    return !c.past.from.empty() && c.past.from.front() == own;
  };
  std::uint64_t highest = of.number;
  for (const auto& c : all)
    if (is_here(c)) highest = std::max(highest, c.number);
  past.written = own;
  for (const auto& c : all) {
    if (!is_here(c)) continue;
    for (const generation g : c.past.from) remember(past.from, g);
    const bool unknown =
        c.past.written == generation::invalid && !mutated(mutant::unknown_since_counts);
    if (c.number != highest || unknown) continue;
    if (past.written == own || is_later(past.written, c.past.written))
      past.written = c.past.written;
  }
  return past;
}

content_past joined(std::span<const past_claim> all, pnn supplier) {
  content_past past;
  if (const auto of = std::ranges::find(all, supplier, &past_claim::node); of != all.end())
    past = shared_past(*of, all);
  for (const auto& c : all)
    for (const generation g : c.past.from) remember(past.from, g);
  return past;
}

std::vector<pnn> latest_contents(std::span<const past_claim> all) {
  std::vector<past_claim> shared(all.begin(), all.end());
  for (auto& c : shared) c.past = shared_past(c, all);
  std::vector<pnn> latest, everybody;
  for (const auto& c : shared) {
    everybody.push_back(c.node);
    if (std::ranges::none_of(shared, [&](const auto& o) { return gives_way(c.past, o.past); }))
      latest.push_back(c.node);
  }
  // only contradictory claims leave nobody: each gives way to the next, in a circle
  return latest.empty() ? everybody : latest;
}

}  // namespace floe
