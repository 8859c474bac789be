#include "protocol/rules/deadlock.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace floe {
namespace {

using cause = blocked_request::cause;

/// What identifies a party.
using party_key = std::tuple<bool, pnn, std::uint64_t, db_id>;
party_key key_of(const wait_party& p) {
  if (p.is_client) return {false, p.client.node, p.client.client, db_id{0}};
  return {true, pnn{0}, 0, p.db};
}

wait_party party(const lock_client& c) { return {.is_client = true, .client = c}; }
wait_party party(db_id db) { return {.db = db}; }

using wait_graph = std::map<party_key, std::vector<wait_edge>>;

void add(wait_graph& g, wait_edge e) {
  const auto from = key_of(e.from);
  g[from].push_back(std::move(e));
}

wait_graph build(std::span<const lock_holding> held, std::span<const blocked_request> waiting) {
  using kind = wait_edge::kind;
  wait_graph g;
  std::set<db_id> unfreezable;
  for (const auto& h : held) {
    add(g, {party(h.db), party(h.who), kind::cannot_freeze, h.db, h.key});
    unfreezable.insert(h.db);
  }
  std::set<db_id> at_barrier;
  for (const auto& w : waiting) {
    switch (w.blocked_by) {
      case cause::holder:
        add(g, {party(w.who), party(w.holder), kind::record_held, w.db, w.key});
        break;
      case cause::recovering_database:
        add(g, {party(w.who), party(w.db), kind::database_recovering, w.db, w.key});
        break;
      case cause::freeze_barrier: at_barrier.insert(w.db); [[fallthrough]];
      case cause::frozen_database:
        add(g, {party(w.who), party(w.db), kind::database_frozen, w.db, w.key});
        break;
    }
  }
  for (const db_id from : at_barrier)
    for (const db_id to : unfreezable)
      if (!at_barrier.contains(to)) add(g, {party(from), party(to), kind::barrier, to, {}});
  return g;
}

/// Walks on from `start` until a party is met that is on the path already.
std::vector<wait_edge> cycle_from(const wait_graph& g, const party_key& start,
                                  std::set<party_key>& finished) {
  struct frame {
    party_key at;
    std::size_t next = 0;
  };
  std::vector<frame> path{{start}};
  std::vector<wait_edge> edges;  // edges[i] leads from path[i] to path[i + 1]
  while (!path.empty()) {
    frame& f = path.back();
    const auto out = g.find(f.at);
    if (out == g.end() || f.next == out->second.size()) {
      finished.insert(f.at);
      path.pop_back();
      if (!edges.empty()) edges.pop_back();
      continue;
    }
    const wait_edge& e = out->second[f.next++];
    const party_key to = key_of(e.to);
    if (finished.contains(to)) continue;
    edges.push_back(e);
    const auto met = std::ranges::find(path, to, &frame::at);
    if (met != path.end()) {
      edges.erase(edges.begin(), edges.begin() + (met - path.begin()));
      return edges;
    }
    path.push_back({to});
  }
  return {};
}

std::string text(const lock_client& c) {
  return (c.name.empty() ? "client " + std::to_string(c.client) : c.name) + " (pid " +
         std::to_string(c.pid) + ", node " + std::to_string(number(c.node)) + ")";
}

std::string text(byte_view key) {
  constexpr std::string_view digits = "0123456789abcdef";
  const bool plain =
      std::ranges::all_of(key, [](char c) { return c >= ' ' && c <= '~' && c != '"'; });
  if (plain) return '"' + std::string(key) + '"';
  std::string s = "0x";
  for (const char c : key) {
    const auto u = static_cast<unsigned char>(c);
    s += digits[u >> 4U];
    s += digits[u & 15U];
  }
  return s;
}

}  // namespace

std::vector<wait_edge> find_deadlock(std::span<const lock_holding> held,
                                     std::span<const blocked_request> waiting) {
  const wait_graph g = build(held, waiting);
  std::set<party_key> finished;
  for (const auto& [from, edges] : g) {
    auto cycle = cycle_from(g, from, finished);
    if (cycle.empty()) continue;
    // there is no circle of databases alone: each holds up the next only by a client
    const auto first = std::ranges::find_if(cycle, [](const auto& e) { return e.from.is_client; });
    std::ranges::rotate(cycle, first);
    return cycle;
  }
  return {};
}

std::string describe(const wait_edge& e, const std::map<db_id, std::string>& names) {
  const auto db = [&](db_id id) {
    const auto it = names.find(id);
    return it != names.end() ? it->second : "database " + std::to_string(number(id));
  };
  switch (e.why) {
    case wait_edge::kind::record_held:
      return text(e.from.client) + " waits for " + text(e.key) + " of " + db(e.db) + ", held by " +
             text(e.to.client);
    case wait_edge::kind::database_frozen:
      return text(e.from.client) + " waits for " + text(e.key) + " of " + db(e.db) +
             ", which is frozen";
    case wait_edge::kind::database_recovering:
      return text(e.from.client) + " waits for " + text(e.key) + " of " + db(e.db) +
             ", which is being recovered";
    case wait_edge::kind::cannot_freeze:
      return db(e.db) + " cannot freeze: " + text(e.key) + " is held by " + text(e.to.client);
    case wait_edge::kind::barrier:
      return db(e.from.db) + " may not be recovered before " + db(e.to.db) + " is frozen as well";
  }
  std::unreachable();
}

}  // namespace floe
