#include "cli/drill/checker/content_history.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

namespace floe::cli::drill {

content_history::content_history(const history& h, const observations& s, std::string db)
    : history_(h),
      seen_(s),
      db_(std::move(db)),
      on_disk_(h.transactional.contains(db_) && !h.replicated.contains(db_)) {
  for (const auto& r : s.recoveries)
    if (r.db == db_ && !r.committed.empty()) recoveries_.push_back(&r);
  add_births(s);
  add_leavers(s);
  // where nothing was asked for the content was there at once
  std::ranges::stable_sort(recoveries_, {},
                           [](const auto* r) { return std::pair(r->at, !r->unchanged); });
  for (const auto* r : recoveries_)
    is_birth_.push_back(!births_.empty() && r >= births_.data() &&
                        r < births_.data() + births_.size());
}

/// A generation in which it was not recovered: who has no content then, and is in the map, creates one with the others.
void content_history::add_births(const observations& s) {
  std::set<std::uint32_t> recovered;
  for (const auto* r : recoveries_) recovered.insert(r->generation);
  std::map<std::uint32_t, database_recovery> by_generation;
  for (const auto& m : s.maps) {
    if (!m.in || recovered.contains(m.generation)) continue;
    auto& birth = by_generation[m.generation];
    if (birth.committed.empty()) birth = {.at = m.at, .unchanged = true};
    birth.committed.emplace(m.node, m.at);
  }
  for (auto& [generation, birth] : by_generation) births_.push_back(std::move(birth));
  for (const auto& b : births_) recoveries_.push_back(&b);
}

/// Who leaves with a recovery is out of its map, and hears nothing of what is written under that.
void content_history::add_leavers(const observations& s) {
  for (const auto& m : s.maps)
    if (!m.in) left_with_.emplace(m.node, m.generation);
}

content_history::content content_history::of(std::size_t node, time_us t) const {
  time_us started = -1;
  for (const auto& d : history_.disturbances)
    if (!on_disk_ && d.node == node && d.how == fault_kind::lost && d.from <= t)
      started = std::max(started, d.from);
  return last_since(started, node, t);
}

content_history::content content_history::answered_in(std::size_t node, time_us t) const {
  std::vector<time_us> starts{-1};
  for (const auto& d : history_.disturbances)
    if (const auto ended = d.orderly ? d.left : d.from;
        !on_disk_ && d.node == node && d.how == fault_kind::lost && ended < t)
      starts.push_back(ended);
  std::ranges::sort(starts, std::greater());
  // a process that has no content yet has acknowledged nothing: the answer was on its way when the one before it ended
  for (const auto started : starts)
    if (const auto c = last_since(started, node, t); c != content::unknown) return c;
  return content::unknown;
}

time_us content_history::made_at(const operation& o) const {
  if (o.result != op_end::done) return o.begin;
  auto at = o.end;
  for (const auto& r : seen_.replacements)
    if (o.everywhere && r.node == o.node && r.db == db_ && r.at >= o.begin && r.at <= o.end)
      at = std::min(at, r.at);
  return at;
}

content_history::content content_history::last_since(time_us started, std::size_t node,
                                                     time_us t) const {
  // what it was created with is over with the first recovery
  for (const bool birth : {false, true}) {
    time_us since = started;
    auto found = content::first;
    for (std::size_t i = 0; i < recoveries_.size(); ++i)
      if (const auto c = recoveries_[i]->committed.find(node);
          is_birth_[i] == birth && c != recoveries_[i]->committed.end() && c->second <= t &&
          c->second > since) {
        since = c->second;
        found = content{i};
      }
    if (found != content::first) return found;
  }
  return started < 0 ? content::first : content::unknown;
}

/// The node took part in the recovery that made it, and left with that: what was written in it since the node has not.
bool content_history::had_left(std::size_t node, content c, time_us t) const {
  if (c == content::first || c == content::unknown) return false;
  const auto since = recoveries_[std::to_underlying(c)]->committed.at(node);
  return std::ranges::any_of(history_.disturbances, [&](const disturbance& d) {
    return d.node == node && d.handed_over && d.left >= since && d.left <= t;
  });
}

std::map<std::size_t, time_us> content_history::shared_by(content c, time_us until) const {
  std::map<std::size_t, time_us> all;
  if (c == content::first || c == content::unknown) return all;
  const auto& made = *recoveries_[std::to_underlying(c)];
  for (const auto& [node, at] : made.committed)
    if (!left_with_.contains({node, made.generation}) && !had_left(node, c, until))
      all.emplace(node, at);
  return all;
}

/// It and all that it came from. What a content came from was made before it, so its ancestors are known when it is asked for in
/// the order of time; a cluster that recovers all the time makes thousands.
const std::vector<bool>& content_history::ancestors(content c) const {
  const auto wanted = std::to_underlying(c);
  while (ancestors_.size() <= wanted) {
    const auto at = ancestors_.size();
    std::vector<bool> all(recoveries_.size() + 1);  // the last stands for the first content
    all[at] = true;
    const auto came_from = [&](std::size_t node, time_us when) {
      const auto source = of(node, when);
      if (source == content::first) all.back() = true;
      const auto k = std::to_underlying(source);
      if (k >= at) return;  // itself, or one that is not known
      if (ancestors_[k].back()) all.back() = true;
      const bool whole = !had_left(node, source, when);
      for (std::size_t i = 0; i <= k; ++i)
        if (ancestors_[k][i] && (whole || i < k)) all[i] = true;
    };
    const auto& r = *recoveries_[at];
    for (const auto source : r.from) came_from(source, r.at);
    for (const auto& [node, when] : r.committed) came_from(node, when - 1);
    ancestors_.push_back(std::move(all));
  }
  return ancestors_[wanted];
}

bool content_history::came_after(content c, content earlier) const {
  if (c == content::unknown || earlier == content::unknown) return false;
  if (c == content::first || c == earlier) return c == earlier;
  const auto& all = ancestors(c);
  return earlier == content::first ? all.back() : all[std::to_underlying(earlier)];
}

bool content_history::apart(std::size_t one, time_us then, std::size_t other, time_us now) const {
  const auto a = of(one, then), b = of(other, now);
  // of a node that was started again, and was in no recovery since, it is not known who shares its content
  if (a == content::unknown || b == content::unknown) return false;
  return !came_after(a, b) && !came_after(b, a);
}

bool content_history::was_taken_into(content earlier, content later) const {
  std::set<content> looked_at{content::first, content::unknown, earlier};
  std::vector<content> open{later};
  while (!open.empty()) {
    const auto c = open.back();
    open.pop_back();
    if (c == earlier) return true;
    if (!looked_at.insert(c).second) continue;
    const auto& r = *recoveries_[std::to_underlying(c)];
    for (const auto source : r.from) open.push_back(of(source, r.unchanged ? r.at - 1 : r.at));
  }
  return false;
}

/// How long a leader that is outnumbered leaves the cluster lock to the others (rules/election_lock).
constexpr time_us way_for_others = 10'000'000;

std::optional<time_us> content_history::lost_since(std::size_t node, std::size_t other,
                                                   time_us now) const {
  std::optional<time_us> since;
  for (const auto& l : seen_.links)
    if (l.at <= now && l.node == node && l.other == other)
      since = l.up ? std::nullopt : std::optional(l.at);
  if (since)
    for (const auto& d : history_.disturbances)
      if (d.node == node && d.how == fault_kind::lost && d.from >= *since && d.from <= now)
        return std::nullopt;
  return since;
}

bool content_history::outnumbered(content c) const {
  if (c == content::first || c == content::unknown) return false;
  const auto [known, is_new] = outnumbered_.try_emplace(c, false);
  if (is_new) known->second = is_outnumbered(c);
  return known->second;
}

bool content_history::is_outnumbered(content c) const {
  const auto& r = *recoveries_[std::to_underlying(c)];
  std::set<std::size_t> away;
  for (const auto source : r.from)
    // of one that asked for nothing it is known when it was there, not when it began
    if (const auto before = of(source, r.unchanged ? r.at - 1 : r.at); before < c)
      for (const auto& [node, at] : recoveries_[std::to_underlying(before)]->committed)
        away.insert(node);
    else
      for (const auto* other : recoveries_)
        for (const auto& [node, at] : other->committed) away.insert(node);
  for (const auto& [node, at] : r.committed) away.erase(node);
  time_us cut = 0;
  for (const auto& d : history_.disturbances) {
    if (d.from > r.at || d.cured <= r.at) continue;
    if (d.how == fault_kind::lost) away.erase(d.node);
    if (d.dark()) cut = std::max(cut, d.from);
  }
  if (away.size() <= r.committed.size() || cut == 0) return false;
  time_us since = 0;
  for (const auto& [node, at] : r.committed)
    for (const auto other : away)
      since = std::max(since, lost_since(node, other, r.at).value_or(cut));
  return r.at - since <= way_for_others;
}

std::optional<disturbance> content_history::could_not_have(content a, content b) const {
  if (a == content::unknown || b == content::unknown || a == content::first || b == content::first)
    return std::nullopt;  // the first content is before all others
  const auto earlier = std::min(a, b), later = std::max(a, b);
  const auto [known, is_new] = gone_.try_emplace({earlier, later}, std::nullopt);
  if (is_new && !came_after(a, b) && !came_after(b, a) && !outnumbered(a) && !outnumbered(b))
    known->second = who_had_it_was_gone(earlier, later);
  return known->second;
}

std::optional<disturbance> content_history::who_had_it_was_gone(content earlier,
                                                                content later) const {
  auto went_on = later;  // without it, for the first time
  const auto& all = ancestors(later);
  for (auto i = std::to_underlying(earlier) + 1; i < std::to_underlying(went_on); ++i)
    if (all[i]) went_on = content{i};
  const auto when = recoveries_[std::to_underlying(went_on)]->at;
  std::set<std::size_t> had;
  for (auto i = std::to_underlying(earlier); i < std::to_underlying(went_on); ++i)
    if (came_after(content{i}, earlier))
      for (const auto& [node, at] : recoveries_[i]->committed)
        if (at <= when) had.insert(node);
  const disturbance* last = nullptr;
  for (const auto node : had) {
    const disturbance* harm = nullptr;
    for (const auto& d : history_.disturbances)
      if (d.node == node && d.how != fault_kind::weak && d.from <= when && d.to >= when) harm = &d;
    if (!harm) return std::nullopt;
    if (!last || harm->from > last->from) last = harm;
  }
  return last ? std::optional(*last) : std::nullopt;
}

}  // namespace floe::cli::drill
