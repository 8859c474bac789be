#include "cli/drill/checker/losses.hpp"

#include <algorithm>
#include <unordered_map>

namespace floe::cli::drill {
namespace {

bool is_deletion(const operation& o) { return o.kind == op_kind::erase || o.kind == op_kind::wipe; }

/// Which writes go back to one of them, write by write, by what each writer had seen.
class descent {
 public:
  descent(const history& h, const register_history& r, std::size_t origin)
      : h_(h), r_(r), origin_(origin), known_{{origin, true}} {}

  bool includes(std::size_t write) {
    bool found = false;
    std::vector<std::size_t> way;
    for (std::optional at = write; at; at = before(*at)) {
      const auto [known, is_new] = known_.try_emplace(*at, false);  // false also ends a circle
      if (!is_new) {
        found = known->second;
        break;
      }
      way.push_back(*at);
    }
    if (found)
      for (const auto w : way) known_[w] = true;
    return found;
  }

 private:
  /// The write that its writer had seen; nothing if that was before the origin.
  std::optional<std::size_t> before(std::size_t write) const {
    const auto& w = h_.ops[write];
    if (w.begin < h_.ops[origin_].begin || w.under >= h_.ops.size()) return std::nullopt;
    return r_.writer_of(h_, h_.ops[w.under].value, w.begin, write);
  }

  const history& h_;
  const register_history& r_;
  std::size_t origin_;
  std::unordered_map<std::size_t, bool> known_;
};

bool sees(const operation& o) { return o.kind == op_kind::lock || o.kind == op_kind::read; }

/// Nodes on which the write, or what came of it, was seen.
std::vector<record_holder> by_sight(const history& h, const register_history& r, std::size_t write,
                                    time_us until) {
  std::vector<record_holder> all;
  const auto& w = h.ops[write];
  if (w.result == op_end::done) all.push_back({w.node, w.end, w.begin, w.connected});
  descent of_write(h, r, write);
  for (const auto s : r.sights) {
    const auto& o = h.ops[s];
    if (o.final_look || o.end < w.begin || o.end > until) continue;
    const auto from = r.writer_of(h, o.value, o.end, h.ops.size());
    if (from && of_write.includes(*from)) all.push_back({o.node, o.end, o.begin, o.connected});
  }
  std::ranges::stable_sort(all, {}, &record_holder::since);
  return all;
}

/// A node that has had a copy since then, untouched, gives it to a recovery.
bool gives(const history& h, const record_holder& x, const database_recovery& r) {
  return x.since <= r.at && r.from.contains(x.node) && !h.harmed(x.node, x.from, r.at, x.connected);
}

/// Who has left in good order has nothing any more, and yet nothing is lost by that.
const disturbance* cause_among(const std::vector<const disturbance*>& harms) {
  const auto i = std::ranges::find_if(harms, [](const auto* d) { return !d->handed_over; });
  return i == harms.end() ? nullptr : *i;
}

/// When the node had it at the latest for certain, before that was told.
time_us made_at(const operation& o) { return o.result == op_end::done ? o.end : o.begin; }

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
        !contents.apart(lost.node, made_at(lost), rival.node, rival.end))
      continue;
    return disturbance{.node = rival.node,
                       .from = rival.end,
                       .what = "where another part of the cluster has written it"};
  }
  return std::nullopt;
}

/// Each node for which the content was made in which a wipe was done, has been harmed since, and not only by having been cut off
/// with it: those who meet them again must have it. The last of these harms.
const disturbance* who_was_wiped_is_gone(const history& h, const content_history& contents,
                                         const operation& w, time_us until) {
  const disturbance* last = nullptr;
  for (const auto& [node, at] : contents.shared_by(contents.answered_in(w.node, w.end), w.end)) {
    auto harms = h.harms(node, w.end, until);
    std::erase_if(harms, [](const auto* d) { return d->how == fault_kind::cut; });
    const auto* cause = cause_among(harms);
    if (!cause) return nullptr;
    if (!last || last->from < cause->from) last = cause;
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
  return parts_may_go_on(h) && contents.apart(w.node, made_at(w), sight.node, sight.end);
}

std::vector<record_holder> holders_of(const history& h, const observations& s,
                                      const register_history& r, std::size_t write, time_us until) {
  auto all = by_sight(h, r, write, until);
  const auto& w = h.ops[write];
  if (w.everywhere) {
    std::set<std::size_t> nodes;
    for (const auto& x : s.recoveries) nodes.insert(x.from.begin(), x.from.end());
    for (const auto n : nodes) all.push_back({n, w.end, w.end});
  }
  for (const auto& recovery : s.recoveries) {
    if (recovery.db != w.db || recovery.at > until) continue;
    if (!std::ranges::any_of(all, [&](const auto& x) { return gives(h, x, recovery); })) continue;
    for (const auto& [node, at] : recovery.committed)
      if (at <= until) all.push_back({node, at, at});
  }
  std::ranges::stable_sort(all, {}, &record_holder::since);
  return all;
}

std::optional<disturbance> explain_loss(const history& h, const observations& s,
                                        const register_history& r, const content_history& contents,
                                        std::size_t write, const stale_sight& stale) {
  const auto& sight = h.ops[stale.sight];
  if (auto rival = of_another_part(h, r, contents, write, stale)) return rival;
  if (const auto& w = h.ops[write]; w.everywhere)
    if (const auto* gone = who_was_wiped_is_gone(h, contents, w, sight.end)) return *gone;
  const auto seen_missing = sight.end;
  const auto holders = holders_of(h, s, r, write, sight.begin);
  auto harm = harm_of(h, holders, seen_missing);
  // the recovery in which they gave it to others may have come after that
  if (harm.to_all && !harm.last)
    harm = harm_of(h, holders_of(h, s, r, write, seen_missing), seen_missing);
  const auto* last = harm.last;
  if (harm.to_all && last) return *last;
  const auto& w = h.ops[write];
  if (!is_deletion(w)) return std::nullopt;
  // up to the first recovery that it went into, a deletion is where the record went last
  auto safe = never;
  for (const auto& recovery : s.recoveries)
    if (recovery.db == w.db &&
        std::ranges::any_of(holders, [&](const auto& x) { return gives(h, x, recovery); }))
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
