#include "cli/drill/checker/commits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/drill/checker/losses.hpp"

namespace floe::cli::drill {
namespace {

using writers = std::map<std::pair<std::string, std::string>, std::size_t>;

/// Parts of the cluster met while it ran, and the content that it had read was left behind.
bool has_read_what_was_left(const history& h, const content_history& contents,
                            const transacted& t) {
  if (!parts_may_go_on(h)) return false;
  const auto before = contents.of(t.node, t.begin), after = contents.of(t.node, t.end);
  return before != after && !contents.was_taken_into(before, after);
}

commit_chain chain_of(const history& h, const content_history& contents, const writers& by_value,
                      const std::string& key, std::string value) {
  commit_chain c;
  std::set<std::size_t> there;
  while (!value.empty()) {
    const auto w = by_value.find({key, value});
    if (w == by_value.end()) {
      c.broken = fmt::format("\"{}\", which nobody has written", value);
      break;
    }
    if (!there.insert(w->second).second) {
      c.broken = fmt::format("\"{}\" comes before itself", value);
      break;
    }
    c.order.push_back(w->second);
    const auto& t = h.transactions[w->second];
    const auto before = t.seen.find(key);
    c.begins_unseen = has_read_what_was_left(h, contents, t);
    if (c.begins_unseen) break;
    value = before == t.seen.end() ? std::string() : before->second;
  }
  std::ranges::reverse(c.order);
  return c;
}

/// Who is shut down goes on for a moment, until it has handed over what it has.
time_us ended_at(const disturbance& d) { return d.orderly ? d.left : d.from; }

/// Of a process that had the transaction since then: its end.
const disturbance* end_of(const history& h, std::size_t node, time_us since) {
  for (const auto& d : h.disturbances)
    if (d.node == node && d.how == fault_kind::lost && ended_at(d) >= since) return &d;
  return nullptr;
}

bool lasts(const disturbance& d, time_us at) { return d.from <= at && d.cured >= at; }

/// An operator has taken it out, it is banned, or cut off from the one that ended then: others go on without what it has.
bool is_out(const history& h, std::size_t node, const disturbance& end) {
  const auto at = ended_at(end);
  const auto parts_them = [&](const disturbance& d) {
    // a side that goes on for certain is not disturbed
    return d.event != 0 && std::ranges::none_of(h.disturbances, [&](const disturbance& other) {
             return other.node == end.node && other.event == d.event && other.side == d.side;
           });
  };
  return std::ranges::any_of(h.disturbances, [&](const disturbance& d) {
    return d.node == node && lasts(d, at) && (d.how == fault_kind::out || parts_them(d));
  });
}

bool works(const history& h, std::size_t node, time_us at) {
  return std::ranges::none_of(h.disturbances, [&](const disturbance& d) {
    const bool away =
        d.how == fault_kind::lost || d.how == fault_kind::out || d.how == fault_kind::paused;
    return d.node == node && away && lasts(d, at);
  });
}

/// Since the last process ended that had it, an operator has taken out the others that do, one after the other, and at the last one
/// nobody was there to whom it could have given anything.
bool taken_out_with_nobody_left(const history& h, const observations& s,
                                const std::vector<std::size_t>& still_run, time_us since) {
  std::set<std::size_t> all(still_run.begin(), still_run.end());
  for (const auto& r : s.recoveries)
    for (const auto& [node, at] : r.committed) all.insert(node);
  for (const auto& o : h.ops) all.insert(o.node);  // at rest everybody is looked at
  return std::ranges::any_of(h.disturbances, [&](const disturbance& d) {
    const bool takes_one_out = d.how == fault_kind::out && d.from > since &&
                               std::ranges::find(still_run, d.node) != still_run.end();
    return takes_one_out &&
           std::ranges::none_of(all, [&](std::size_t n) { return works(h, n, d.from); });
  });
}

std::optional<disturbance> every_holder_ended(const history& h, const observations& s,
                                              const content_history& contents,
                                              const transacted& t) {
  // when it was acknowledged all had it that had the content in which it was made
  auto had = contents.shared_by(contents.answered_in(t.node, t.end), t.end);  // since when
  if (had.empty()) return std::nullopt;
  // one that has left with it, and then told of what it had handed over
  had.emplace(t.node, had.begin()->second);
  for (const auto& r : s.recoveries) {
    if (r.db != t.db) continue;
    const bool given = std::ranges::any_of(had, [&](const auto& x) {
      const auto* ended = end_of(h, x.first, x.second);
      return r.from.contains(x.first) && x.second < r.at && (!ended || ended_at(*ended) > r.at);
    });
    if (given)
      for (const auto& [node, at] : r.committed) had[node] = at;
  }
  const disturbance* last = nullptr;
  std::vector<std::size_t> still_run;
  for (const auto& [node, since] : had) {
    const auto* ended = end_of(h, node, since);
    if (!ended)
      still_run.push_back(node);
    else if (!last || ended_at(*ended) > ended_at(*last))
      last = ended;
  }
  const bool nobody_works =
      last && std::ranges::all_of(still_run, [&](auto n) { return is_out(h, n, *last); });
  if (nobody_works || (last && taken_out_with_nobody_left(h, s, still_run, ended_at(*last))))
    return *last;
  return std::nullopt;
}

}  // namespace

std::size_t commit_history::kept_keys(const history& h, std::size_t transaction) const {
  std::size_t n = 0;
  for (const auto& [key, value] : h.transactions[transaction].writes)
    if (const auto c = chains.find(key); c != chains.end())
      n += static_cast<std::size_t>(std::ranges::count(c->second.order, transaction));
  return n;
}

bool commit_history::is_told(const history& h, std::size_t transaction) const {
  return std::ranges::all_of(h.transactions[transaction].writes, [&](const auto& w) {
    const auto c = chains.find(w.first);
    // keys on which nodes differ at the end are another checker's matter
    if (c == chains.end()) return false;
    const auto& order = c->second.order;
    return !c->second.begins_unseen || std::ranges::find(order, transaction) != order.end();
  });
}

std::vector<commit_history> by_database(const history& h, const observations& s) {
  std::vector<commit_history> all;
  for (const auto& db : h.transactional) {
    const content_history contents(h, s, db);
    commit_history made{.db = db};
    writers by_value;
    for (std::size_t i = 0; i < h.transactions.size(); ++i) {
      const auto& t = h.transactions[i];
      if (t.db != db) continue;
      made.all.push_back(i);
      for (const auto& [key, value] : t.writes) by_value[{key, value}] = i;
    }
    std::ranges::stable_sort(made.all, {}, [&](std::size_t i) { return h.transactions[i].begin; });
    for (const auto& o : h.ops)
      if (o.final_look && o.db == db && o.result == op_end::done)
        made.at_rest[o.key][o.node] = o.value;
    for (const auto& [key, copies] : made.at_rest) {
      const auto& value = copies.begin()->second;
      if (!std::ranges::all_of(copies, [&](const auto& c) { return c.second == value; })) continue;
      auto& c = made.chains[key] = chain_of(h, contents, by_value, key, value);
      made.happened.insert(c.order.begin(), c.order.end());
    }
    all.push_back(std::move(made));
  }
  return all;
}

lost_commits::lost_commits(const history& h, const observations& s, const commit_history& db)
    : history_(h), seen_(s), contents_(h, s, db.db) {
  if (h.majority || parts_may_go_on(h)) return;
  for (const auto i : db.happened)
    if (const auto& t = h.transactions[i]; t.result == op_end::done)
      kept_.insert(contents_.of(t.node, t.end));
}

std::optional<disturbance> lost_commits::explain(const transacted& t) const {
  const auto& h = history_;
  if (h.replicated.contains(t.db))
    if (const auto d = every_holder_ended(h, seen_, contents_, t)) return d;
  if (h.majority) return std::nullopt;
  if (!parts_may_go_on(h)) return explain_sight(t.node, t.end);
  for (const auto& d : h.disturbances)
    if (d.dark() && d.to >= t.begin && d.from <= t.end) return d;
  return std::nullopt;
}

std::optional<disturbance> lost_commits::explain_sight(std::size_t node, time_us at) const {
  const auto here = contents_.of(node, at);
  for (const auto kept : kept_)
    if (auto d = contents_.could_not_have(here, kept)) return d;
  return std::nullopt;
}

bool lost_commits::in_another_part(const transacted& t, std::size_t node, time_us at) const {
  return parts_may_go_on(history_) && contents_.apart(t.node, t.end, node, at);
}

std::string transaction_text(const transacted& t) {
  std::string keys;
  for (const auto& [key, value] : t.writes.empty() ? t.seen : t.writes)
    keys += fmt::format("{}{}={}", keys.empty() ? "" : " ", key, value.empty() ? "absent" : value);
  return fmt::format("{} of {} ({}) on node {}, {} to {}", t.client, t.db, keys, t.node,
                     at_text(t.begin), at_text(t.end));
}

}  // namespace floe::cli::drill
