#include "cli/drill/checker/losses.hpp"

#include <algorithm>
#include <map>

namespace floe::cli::drill {
namespace {

bool is_deletion(const operation& o) { return o.kind == op_kind::erase || o.kind == op_kind::wipe; }

bool sees(const operation& o) { return o.kind == op_kind::lock || o.kind == op_kind::read; }

/// Who has left in good order has nothing any more, and yet nothing is lost by that.
const disturbance* cause_among(const std::vector<const disturbance*>& harms) {
  const auto i = std::ranges::find_if(harms, [](const auto* d) { return !d->handed_over; });
  return i == harms.end() ? nullptr : *i;
}

/// A write of a part that did not know of this one, and that is not lost.
std::optional<disturbance> of_another_part(const history& h, const register_history& r,
                                           const content_history& contents, std::size_t write,
                                           const stale_sight& stale) {
  if (!parts_may_go_on(h)) return std::nullopt;
  const auto& lost = h.ops[write];
  for (const auto i : r.writes) {
    const auto& rival = h.ops[i];
    if (rival.result != op_end::done || rival.end > h.ops[stale.sight].end ||
        stale.is_missing.contains(i) ||
        !contents.apart(lost.node, contents.made_at(lost), rival.node, rival.end))
      continue;
    return disturbance{.node = rival.node,
                       .from = rival.end,
                       .what = "where another part of the cluster has written it"};
  }
  return std::nullopt;
}

/// Each node for which the content was made in which a wipe was done, has been harmed since, and not only by having been cut off
/// with it: those who meet them again must have it. Nor has one that left in good order it any more. The last of these harms.
const disturbance* who_was_wiped_is_gone(const history& h, const content_history& contents,
                                         const operation& w, time_us until) {
  const disturbance* last = nullptr;
  for (const auto& [node, at] : contents.shared_by(contents.answered_in(w.node, w.end), w.end)) {
    auto harms = h.harms(node, w.end, until);
    std::erase_if(harms, [](const auto* d) { return d->how == fault_kind::cut; });
    if (harms.empty()) return nullptr;
    const auto* cause = cause_among(harms);
    if (cause && (!last || last->from < cause->from)) last = cause;
  }
  return last;
}

struct harm_of_holders {
  bool to_all = true;
  const disturbance* last =
      nullptr;  ///< nothing: all of them have left in good order, or none was harmed
};

harm_of_holders harm_of(const history& h, const std::vector<record_holder>& holders,
                        time_us until) {
  harm_of_holders found;
  std::map<std::uint64_t, int> losing;  ///< side of a cut that must have lost
  for (const auto& x : holders) {
    const auto harms = h.harms(x.node, x.from, until, x.connected);
    found.to_all &= !harms.empty();
    if (harms.empty()) continue;
    if (const auto* cause = cause_among(harms)) found.last = cause;
    if (!std::ranges::all_of(
            harms, [&](const auto* d) { return d->event == harms[0]->event && d->event != 0; }))
      continue;
    const auto [side, first] = losing.emplace(harms[0]->event, harms[0]->side);
    found.to_all &= first || side->second == harms[0]->side;  // one of the two sides has gone on
  }
  return found;
}

}  // namespace

bool parts_may_go_on(const history& h) {
  return (!h.cluster_lock || h.lock_betrayed || h.any_part) && !h.majority;
}

bool in_another_part(const history& h, const content_history& contents, std::size_t write,
                     const operation& sight) {
  const auto& w = h.ops[write];
  return parts_may_go_on(h) && contents.apart(w.node, contents.made_at(w), sight.node, sight.end);
}

std::optional<disturbance> explain_loss(const history& h, const observations& s,
                                        const register_history& r, record_holders& had,
                                        const content_history& contents, std::size_t write,
                                        const stale_sight& stale) {
  const auto& sight = h.ops[stale.sight];
  if (auto rival = of_another_part(h, r, contents, write, stale)) return rival;
  if (const auto& w = h.ops[write]; w.everywhere)
    if (const auto* gone = who_was_wiped_is_gone(h, contents, w, sight.end)) return *gone;
  const auto seen_missing = sight.end;
  const auto holders = had.of(write, sight.begin);
  auto harm = harm_of(h, holders, seen_missing);
  // the recovery in which they gave it to others may have come after that
  if (harm.to_all && !harm.last) harm = harm_of(h, had.of(write, seen_missing), seen_missing);
  const auto* last = harm.last;
  if (harm.to_all && last) return *last;
  const auto& w = h.ops[write];
  if (!is_deletion(w)) return std::nullopt;
  // up to the first recovery that it went into, a deletion is where the record went last
  auto safe = never;
  for (const auto& recovery : s.recoveries)
    if (recovery.db == w.db &&
        std::ranges::any_of(holders, [&](const auto& x) { return gives_its_copy(h, x, recovery); }))
      for (const auto& [node, at] : recovery.committed)
        if (at <= sight.begin && !h.harmed(node, at, seen_missing)) safe = std::min(safe, at);
  if (safe != never) return std::nullopt;
  if (last) return *last;
  for (const auto i : r.all) {
    const auto& o = h.ops[i];
    if (o.final_look || !sees(o) || o.end < w.begin || o.begin > seen_missing ||
        o.result == op_end::done)
      continue;
    if (const auto* d =
            cause_among(h.harms(o.node, std::max(o.begin, w.begin), seen_missing, o.connected)))
      return *d;
  }
  return std::nullopt;
}

}  // namespace floe::cli::drill
