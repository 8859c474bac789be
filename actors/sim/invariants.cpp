#include "actors/sim/invariants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/hex.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/rules/lineage.hpp"

namespace floe {
namespace {

constexpr std::size_t recoveries_kept = 64;

bool is_in(const std::vector<pnn>& list, pnn n) { return std::ranges::find(list, n) != list.end(); }

bool valid(generation g) { return g != generation::invalid; }

/// Of one generation: of what they have, or of what they route by.
bool together(const database_moment& a, const database_moment& b) {
  return (valid(a.content) && a.content == b.content) || (valid(a.map) && a.map == b.map);
}

}  // namespace

invariants::invariants(event_loop& world, clash_sink tell)
    : world_(world), began_(world.now()), tell_(std::move(tell)) {}

// --- nodes -----------------------------------------------------------------------------------------------------------

void invariants::opened(const database_moment& m, std::string_view name) {
  auto& db = of(m);
  db.name = name;
  auto& node = db.nodes[m.node];
  node.born = ++node.number;
  release_all(db, m.node);  // what was held in one that was detached
}

void invariants::left(const database_moment& m) {
  auto& node = of(m).nodes[m.node];
  ++node.number;
  node.given = generation::invalid;
  node.written.reset();
  node.to_be_counted.reset();
}

void invariants::gone(pnn n) {
  for (auto& [id, db] : databases_) {
    ++db.nodes[n].number;
    db.nodes[n].opened = db.nodes[n].given = generation::invalid;
    db.nodes[n].written.reset();
    db.nodes[n].to_be_counted.reset();
    release_all(db, n);
  }
}

void invariants::release_all(seen_database& db, pnn n) {
  for (auto& [key, holders] : db.holders)
    std::erase_if(holders, [n](const sight& s) { return s.where.node == n; });
  std::erase_if(db.holders, [](const auto& h) { return h.second.empty(); });
}

invariants::sight invariants::see(seen_database& db, const database_moment& m, const char* what,
                                  floe::rsn rsn) const {
  return {.where = m,
          .content = db.nodes[m.node].number,
          .at = world_.now() - began_,
          .what = what,
          .rsn = rsn};
}

/// Whether the node still has the content in which that happened.
bool invariants::stands(const seen_database& db, pnn node, content_number content) const {
  const auto n = db.nodes.find(node);
  return n != db.nodes.end() && n->second.number == content;
}

// --- records -----------------------------------------------------------------------------------------------------------

void invariants::kept(const database_moment& m, byte_view key, const record_header& h) {
  auto& db = of(m);
  if (h.dmaster == m.node) {
    auto now = see(db, m, "has it", h.rsn);
    check_rsn(db, key, now);
    return claim(db, key, now);
  }
  disown(db, key, m.node, false);
}

void invariants::dropped(const database_moment& m, byte_view key) {
  disown(of(m), key, m.node, true);
}

void invariants::disown(seen_database& db, byte_view key, pnn node, bool forget) {
  const auto r = db.records.find(bytes(key));
  if (r == db.records.end()) return;
  std::erase_if(r->second.owners, [&](const sight& s) { return s.where.node == node; });
  // a deletion that is forgotten: a new record of this key begins anew
  if (forget && r->second.write && r->second.write->deleted) r->second.write.reset();
  if (r->second.owners.empty() && !r->second.write) db.records.erase(r);
}

void invariants::granted(const database_moment& m, byte_view key, const record_header& h) {
  auto& db = of(m);
  auto now = see(db, m, "grants it", h.rsn);
  check_rsn(db, key, now);
  claim(db, key, now);
  auto& holders = db.holders[bytes(key)];
  for (const auto& other : holders) {
    // of two generations: the earlier one's holder had a part in the later one, and still holds
    const bool taken_along = [&] {
      const auto r = db.recoveries.find(m.content);
      return r != db.recoveries.end() && r->second.committed.contains(other.where.node) &&
             !is_later(other.where.content, m.content);
    }();
    if (other.where.node == m.node || (!together(other.where, m) && !taken_along)) continue;
    clash(db, key, "one holder", other, now);
  }
  holders.push_back(now);
}

void invariants::released(const database_moment& m, byte_view key) {
  auto& db = of(m);
  const auto h = db.holders.find(bytes(key));
  if (h == db.holders.end()) return;
  std::erase_if(h->second, [&](const sight& s) { return s.where.node == m.node; });
  if (h->second.empty()) db.holders.erase(h);
}

void invariants::claim(seen_database& db, byte_view key, const sight& now) {
  if (!valid(now.where.content)) return;
  auto& owners = db.records[bytes(key)].owners;
  std::erase_if(owners, [&](const sight& s) {
    return s.where.node == now.where.node || !stands(db, s.where.node, s.content);
  });
  for (const auto& other : owners)
    if (together(other.where, now.where)) clash(db, key, "one owner", other, now);
  owners.push_back(now);
}

void invariants::acknowledged(const database_moment& m, byte_view key, const record_header& h,
                              bool deleted) {
  auto& db = of(m);
  auto now = see(db, m, deleted ? "acknowledges a deletion" : "acknowledges a write", h.rsn);
  now.deleted = deleted;
  check_open(db, key, now);
  claim(db, key, now);
  check_rsn(db, key, now);
  auto& r = db.records[bytes(key)];
  r.write = now;
  r.carrier = m;
  r.carried = now.content;
}

void invariants::check_left(seen_database& db, byte_view key, const sight& now) {
  const auto gone = db.left.find(now.where.content);
  if (gone == db.left.end()) return;
  const auto& [node, id, content, map] = now.where;
  // the map of a recovery is set before databases are frozen for it
  if (is_later(map, content) && map != gone->second.where.content)
    db.nodes[node].to_be_counted = {.key = bytes(key), .write = now, .gone_on = gone->second};
  else
    clash(db, key, "left behind", gone->second, now);
}

void invariants::check_open(seen_database& db, byte_view key, const sight& now) {
  check_left(db, key, now);
  auto& node = db.nodes[now.where.node];
  if (!valid(node.given) && !valid(node.opened)) return;
  auto then = now;
  then.at = node.since;
  then.what = "takes part in a recovery";
  if (valid(node.opened) || !recovery_of(db, node.given).committed.empty())
    return clash(db, key, "in the open", then, now);
  node.written.emplace(key, now);
}

/// Whether what was written last is in the history of what the node has now.
bool invariants::reaches(const seen_database& db, const record_history& record,
                         const sight& now) const {
  const auto& carrier = record.carrier;
  if (carrier.content == now.where.content) return stands(db, carrier.node, record.carried);
  if (record.write->deleted) return false;  // recoveries forget deletions
  const auto r = db.recoveries.find(now.where.content);
  if (r == db.recoveries.end() || !is_in(r->second.counted, carrier.node)) return false;
  // detached since, and made anew under the generation in which it was recovered: it has nothing of before
  const auto& mine = db.nodes.at(now.where.node);
  const auto had = r->second.committed.find(now.where.node);
  if (had != r->second.committed.end() && mine.born > had->second.second) return false;
  const auto before = r->second.committed.find(carrier.node);
  return before != r->second.committed.end() &&
         before->second == std::pair(carrier.content, record.carried);
}

void invariants::check_rsn(seen_database& db, byte_view key, const sight& now) {
  const auto r = db.records.find(bytes(key));
  if (r == db.records.end() || !r->second.write || !valid(now.where.content)) return;
  if (!reaches(db, r->second, now)) return;
  if (now.rsn < r->second.write->rsn) clash(db, key, "highest rsn", *r->second.write, now);
  r->second.carrier = now.where;
  r->second.carried = now.content;
}

// --- transactions ----------------------------------------------------------------------------------------------------

void invariants::acknowledged_transaction(const database_moment& m, std::uint64_t seqnum) {
  auto& db = of(m);
  const auto now = see(db, m, "acknowledges a transaction", floe::rsn{seqnum});
  // all nodes have stored it: a recovery that has begun since then finds it
  if (const auto gone = db.left.find(m.content);
      gone != db.left.end() && gone->second.rsn < now.rsn)
    clash(db, {}, "left behind", gone->second, now);
  db.transactions[m.content] = now;
}

// --- recoveries ------------------------------------------------------------------------------------------------------

invariants::recovery& invariants::recovery_of(seen_database& db, generation g) {
  if (const auto known = db.recoveries.find(g); known != db.recoveries.end()) return known->second;
  db.order.push_back(g);
  if (db.order.size() > recoveries_kept) {
    db.recoveries.erase(db.order.front());
    db.transactions.erase(db.order.front());
    db.left.erase(db.order.front());
    db.order.erase(db.order.begin());
  }
  return db.recoveries[g];
}

void invariants::recovers(db_id id, generation to, std::span<const pnn> counted) {
  auto& r = recovery_of(databases_[id], to);
  // a second try counts those that have committed the first: what they have is what counted then
  if (r.committed.empty()) r.counted.assign(counted.begin(), counted.end());
}

void invariants::began(const database_moment& m, generation to) {
  auto& db = of(m);
  auto& node = db.nodes[m.node];
  node.opened = to;
  node.given =
      to == m.content ? generation::invalid : to;  // an operator's transaction is no recovery
  node.written.reset();
  node.since = world_.now() - began_;
  auto& r = recovery_of(db, to);
  if (!is_in(r.taking_part, m.node)) r.taking_part.push_back(m.node);
}

void invariants::gave_up(const database_moment& m) {
  of(m).nodes[m.node].opened = generation::invalid;
}

void invariants::committed(const database_moment& m, generation to, std::uint64_t seqnum) {
  auto& db = of(m);
  auto& r = recovery_of(db, to);
  auto& node = db.nodes[m.node];
  node.opened = node.given = generation::invalid;
  if (const auto hoped = std::exchange(node.to_be_counted, std::nullopt);
      hoped && !is_in(r.counted, m.node))
    clash(db, hoped->key, "left behind", hoped->gone_on, hoped->write);
  r.committed.try_emplace(m.node, m.content, node.number);
  ++node.number;
  const auto committed = see(db, {m.node, m.db, to, m.map}, "has recovered it", floe::rsn{seqnum});
  for (const auto& [n, other] : db.nodes)
    if (other.given == to && other.written)
      clash(db, other.written->first, "in the open", other.written->second, committed);
  // an operator has replaced the content: he did so for all that have it
  if (to == replaced_under(m.content)) {
    r.counted.clear();
    for (const auto& [n, before] : r.committed) r.counted.push_back(n);
  }
  if (to == m.content) r.counted.clear();  // as a ctdbd's generation leaves it
  if (r.counted.empty() || is_replaced(to)) db.transactions.clear();
  if (!r.counted.empty()) note_left(db, r, m.content, committed);
  const auto last = db.transactions.find(m.content);
  if (last == db.transactions.end() || !is_in(r.counted, m.node)) return;
  if (committed.rsn < last->second.rsn) clash(db, {}, "highest number", last->second, committed);
}

/// Most of those that had committed the content of before count in a recovery that somebody has committed.
void invariants::note_left(seen_database& db, const recovery& r, generation before,
                           const sight& now) {
  const auto had = db.recoveries.find(before);
  if (had == db.recoveries.end() || db.left.contains(before)) return;
  const auto gone_on = std::ranges::count_if(
      had->second.committed, [&](const auto& n) { return is_in(r.counted, n.first); });
  if (2 * static_cast<std::size_t>(gone_on) <= had->second.committed.size()) return;
  db.left.emplace(before, now);
}

// --- words -----------------------------------------------------------------------------------------------------------

std::string invariants::describe(const sight& s) const {
  return fmt::format("node {} {} (rsn {}, generation {:#x}, map {:#x}) at {:.6f} s",
                     number(s.where.node), s.what, number(s.rsn), number(s.where.content),
                     number(s.where.map), in_seconds(s.at));
}

void invariants::clash(const seen_database& db, byte_view key, const char* rule, const sight& then,
                       const sight& now) {
  tell_(fmt::format("{}: {}{}: {}, and {}", rule, db.name, key.empty() ? "" : " key=" + to_hex(key),
                    describe(then), describe(now)));
}

}  // namespace floe
