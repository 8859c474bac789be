/// Transactions on persistent and replicated databases: all or nothing, none that was acknowledged is
/// lost, one order that everybody could have seen, and at rest the same content on every node.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "cli/drill/checker/commits.hpp"

namespace floe::cli::drill {
namespace {

std::string cause(const std::optional<disturbance>& d) {
  return d ? cause_text(*d) : std::string();
}

std::vector<finding> whole(const history& h, const observations& s) {
  std::vector<finding> all;
  for (const auto& db : by_database(h, s))
    for (const auto i : db.all) {
      const auto& t = h.transactions[i];
      const auto kept = db.kept_keys(h, i);
      if (kept == 0 || !db.is_told(h, i)) continue;
      if (kept != t.writes.size())
        all.push_back({true, fmt::format("{}: {} of its {} records are there", transaction_text(t),
                                         kept, t.writes.size())});
      else if (t.result == op_end::refused)
        all.push_back({true, fmt::format("{}: refused ({}), and stored all the same",
                                         transaction_text(t), t.error)});
    }
  return all;
}

std::vector<finding> kept(const history& h, const observations& s) {
  std::vector<finding> all;
  if (!s.at_rest) return all;  // nothing was read at the end
  for (const auto& db : by_database(h, s)) {
    const lost_commits losses(h, s, db);
    for (const auto i : db.all) {
      const auto& t = h.transactions[i];
      if (t.result != op_end::done || t.writes.empty() || !db.is_told(h, i) ||
          db.kept_keys(h, i) > 0)
        continue;
      const auto why = losses.explain(t);
      all.push_back(
          {!why, fmt::format("{}, acknowledged, is lost", transaction_text(t)), cause(why)});
    }
    // a read that began after a commit was acknowledged sees it, or what came later
    for (const auto& o : h.ops) {
      if (o.db != db.db || o.kind != op_kind::read || o.result != op_end::done || o.final_look)
        continue;
      if (h.in_the_dark(o.node, o.begin, o.end)) continue;
      const auto c = db.chains.find(o.key);
      if (c == db.chains.end()) continue;
      const auto& order = c->second.order;
      const auto seen = std::ranges::find_if(
          order, [&](std::size_t i) { return h.transactions[i].writes.at(o.key) == o.value; });
      if (seen == order.end() && !o.value.empty())
        continue;  // not there any more: a matter of the one who wrote it
      for (auto next = o.value.empty() ? order.begin() : seen + 1; next != order.end(); ++next) {
        const auto& t = h.transactions[*next];
        if (t.result != op_end::done || t.end >= o.begin) continue;
        if (losses.in_another_part(t, o.node, o.end)) continue;
        const auto why = losses.explain_sight(o.node, o.end);
        all.push_back({!why,
                       fmt::format("{} read {}/{} on node {} at {} as it was before {}", o.client,
                                   o.db, o.key, o.node, at_text(o.end), transaction_text(t)),
                       cause(why)});
        break;
      }
    }
  }
  return all;
}

/// Edges of "comes before": what stands in the chains, what was seen, and real time.
class order_graph {
 public:
  order_graph(const history& h, const observations& s, const commit_history& db)
      : h_(h), db_(db), losses_(h, s, db) {
    for (const auto i : db.all)
      if (db.happened.contains(i) || reader(i)) nodes_.push_back(i);
    for (const auto& [key, chain] : db.chains) {
      for (std::size_t n = 1; n < chain.order.size(); ++n)
        after_[chain.order[n - 1]].insert(chain.order[n]);
      for (const auto i : nodes_)
        if (const auto saw = h.transactions[i].seen.find(key);
            reader(i) && saw != h.transactions[i].seen.end())
          place_reader(i, key, saw->second, chain.order);
    }
    std::ranges::sort(nodes_, {}, [&](std::size_t i) { return h.transactions[i].begin; });
  }

  /// Two transactions of a circle; nothing if there is an order.
  std::optional<std::pair<std::size_t, std::size_t>> circle() const {
    enum class mark : std::uint8_t { none, open, done };
    std::vector marks(h_.transactions.size(), mark::none);
    // By place in `nodes_`: where to go on after one that is done, with all that comes after it.
    std::vector<std::size_t> next_place(nodes_.size());
    std::iota(next_place.begin(), next_place.end(), std::size_t{1});
    const auto first_left = [&](std::size_t place) {
      auto end = place;
      while (end < nodes_.size() && marks[nodes_[end]] == mark::done) end = next_place[end];
      while (place < end) place = std::exchange(next_place[place], end);
      return end;
    };
    std::optional<std::pair<std::size_t, std::size_t>> found;
    std::function<bool(std::size_t)> visit = [&](std::size_t i) {
      marks[i] = mark::open;
      const auto step = [&](std::size_t next) {
        if (marks[next] == mark::open) {
          found = {next, i};
          return true;
        }
        return marks[next] == mark::none && visit(next);
      };
      if (const auto a = after_.find(i); a != after_.end())
        for (const auto next : a->second)
          if (step(next)) return true;
      const auto from = static_cast<std::size_t>(later(i) - nodes_.begin());
      for (auto next = first_left(from); next < nodes_.size(); next = first_left(next + 1))
        if (step(nodes_[next])) return true;
      marks[i] = mark::done;
      return false;
    };
    for (const auto i : nodes_)
      if (marks[i] == mark::none && visit(i)) break;
    return found;
  }

 private:
  /// A witness of the order; not one of a side of a cut cluster that may have been thrown away.
  bool reader(std::size_t i) const {
    const auto& t = h_.transactions[i];
    return t.writes.empty() && t.result == op_end::done && !losses_.explain(t);
  }

  /// Those that began after it had been acknowledged.
  std::vector<std::size_t>::const_iterator later(std::size_t i) const {
    const auto& t = h_.transactions[i];
    if (t.result != op_end::done) return nodes_.end();
    return std::ranges::upper_bound(nodes_, t.end, {},
                                    [&](std::size_t n) { return h_.transactions[n].begin; });
  }

  void place_reader(std::size_t i, const std::string& key, const std::string& value,
                    const std::vector<std::size_t>& order) {
    auto at = order.begin();
    if (!value.empty()) {
      at = std::ranges::find_if(
          order, [&](std::size_t n) { return h_.transactions[n].writes.at(key) == value; });
      if (at == order.end()) return;  // it saw what is not there any more
      after_[*at].insert(i);
      ++at;
    }
    if (at != order.end()) after_[i].insert(*at);
  }

  const history& h_;
  const commit_history& db_;
  lost_commits losses_;
  std::vector<std::size_t> nodes_;
  std::map<std::size_t, std::set<std::size_t>> after_;
};

std::vector<finding> ordered(const history& h, const observations& s) {
  std::vector<finding> all;
  for (const auto& db : by_database(h, s)) {
    for (const auto& [key, chain] : db.chains) {
      if (!chain.broken.empty())
        all.push_back({true, fmt::format("{}/{}: {}", db.db, key, chain.broken)});
      for (std::size_t n = 1; n < chain.order.size(); ++n) {
        const auto &a = h.transactions[chain.order[n - 1]], &b = h.transactions[chain.order[n]];
        if (a.seqnum && b.seqnum && a.seqnum >= b.seqnum)
          all.push_back({true, fmt::format("{}/{}: sequence number {} of {} comes before {} of {}",
                                           db.db, key, a.seqnum, transaction_text(a), b.seqnum,
                                           transaction_text(b))});
      }
    }
    std::map<std::uint64_t, std::size_t> numbers;
    for (const auto i : db.happened)
      if (const auto n = h.transactions[i].seqnum; n && !numbers.emplace(n, i).second)
        all.push_back({true, fmt::format("{}: sequence number {} was given to {} and to {}", db.db,
                                         n, transaction_text(h.transactions[numbers[n]]),
                                         transaction_text(h.transactions[i]))});
    if (const auto c = order_graph(h, s, db).circle())
      all.push_back(
          {true, fmt::format(
                     "no order of the transactions fits what was seen; {} and {} are in the circle",
                     transaction_text(h.transactions[c->first]),
                     transaction_text(h.transactions[c->second]))});
  }
  return all;
}

std::vector<finding> equal(const history& h, const observations& s) {
  std::vector<finding> all;
  if (!s.at_rest) return all;
  for (const auto& db : by_database(h, s))
    for (const auto& [key, copies] : db.at_rest) {
      const auto& [node, value] = *copies.begin();
      for (const auto& [other, theirs] : copies)
        if (theirs != value) {
          all.push_back({true, fmt::format("{}/{} is \"{}\" on node {} and \"{}\" on node {}",
                                           db.db, key, value, node, theirs, other)});
          break;
        }
    }
  return all;
}

}  // namespace

checker whole_commits_checker() {
  return {"all or nothing",
          "every transaction is there with all its records or with none; a refused one with none",
          whole};
}
checker kept_commits_checker() {
  return {"kept commits", "no acknowledged transaction is lost, nor missing in a later read", kept,
          true};
}
checker ordered_commits_checker() {
  return {"ordered commits",
          "one order of all transactions explains all that was seen, also their sequence numbers",
          ordered};
}
checker equal_copies_checker() {
  return {"equal copies", "at rest persistent and replicated databases are the same on all nodes",
          equal};
}

}  // namespace floe::cli::drill
