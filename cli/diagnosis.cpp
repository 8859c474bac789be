#include "cli/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/keys.hpp"
#include "cli/lock_picture.hpp"
#include "cli/output.hpp"
#include "protocol/hash.hpp"

namespace floe::cli {
namespace {

/// Longer than any program that uses records as they are meant holds one that others want.
constexpr double held_from_others_ms = 5000;
/// Of a lock that nobody waits for.
constexpr double held_long_ms = 30'000;

struct queue_of_lock {
  std::size_t clients = 0;
  double longest_ms = 0;
};

/// Who waits for this record. Requests of nodes are those of clients that stand in their own node's queue, too: they count only
/// where no client is known, as behind a ctdbd.
queue_of_lock waiting_for(const lock_picture& p, const held_record& h) {
  queue_of_lock of_clients, of_nodes;
  for (const auto& w : p.waiting) {
    if (w.db != h.db || w.key != h.key) continue;
    auto& q = w.who.client != 0 ? of_clients : of_nodes;
    ++q.clients;
    q.longest_ms = std::max(q.longest_ms, w.age_ms);
  }
  return of_clients.clients > 0 ? of_clients : of_nodes;
}

std::string waits_itself(const lock_picture& p, const lock_owner& who) {
  for (const auto& w : p.waiting)
    if (w.who.client != 0 && w.who.node == who.node && w.who.client == who.client)
      return fmt::format(" (it waits itself for {} of {})", show_key(w.key), w.db);
  return {};
}

known_trouble held_lock(const lock_picture& p, const held_record& h, const queue_of_lock& q,
                        pnn told_by) {
  const bool wanted = q.longest_ms >= held_from_others_ms;
  const auto others =
      !wanted ? std::string("a recovery would have to wait")
      : q.clients == 1
          ? fmt::format("a client has waited {}", age_text(q.longest_ms))
          : fmt::format("{} clients wait, one of them {},", q.clients, age_text(q.longest_ms));
  return {.kind = "lock-held",
          .text = fmt::format("{}: {} for the lock of {}; {} holds it{}", h.db, others,
                              show_key(h.key), to_text(h.who), waits_itself(p, h.who)),
          .next = fmt::format("floe locks shows all; if it is stuck, end it: kill {} on node {}",
                              h.who.pid, number(h.who.node)),
          .db = h.db,
          .node = h.who.node,
          .age_ms = static_cast<std::int64_t>(h.age_ms),
          .ill = wanted,
          .told_by = told_by};
}

known_trouble no_answer(pnn n, std::string says, std::string next, pnn told_by) {
  return {.kind = "no-answer",
          .text = fmt::format("node {} {}", number(n), says),
          .says = says,
          .next = std::move(next),
          .db = {},
          .node = n,
          .age_ms = {},
          .ill = true,
          .told_by = told_by};
}

/// It was there when the others were asked.
known_trouble node_lost_meanwhile(pnn n, pnn told_by) {
  return no_answer(n, "was lost while it was asked", "ask again: floe doctor", told_by);
}

known_trouble silent_node(pnn n, duration patience, pnn told_by) {
  const double ms = std::chrono::duration<double, std::milli>(patience).count();
  return no_answer(
      n, "is connected and has not answered for " + age_text(ms),
      "is its process stopped, or its machine starved? The others soon take it for lost", told_by);
}

}  // namespace

std::vector<known_trouble> lock_troubles(const node_reports& reports, pnn told_by) {
  lock_picture p;
  for (const auto& [node, report] : reports) p.add(report);
  std::vector<known_trouble> all;
  const auto circle = find_cycle(p);
  if (!circle.empty()) {
    std::string text = "clients wait for each other", ends;
    for (const auto& step : circle) text += (&step == &circle.front() ? ": " : "; ") + step;
    for (const auto& who : clients_in_cycle(p))
      ends += fmt::format("{}kill {} on node {}", ends.empty() ? "" : ", or ", who.pid,
                          number(who.node));
    all.push_back({.kind = "deadlock",
                   .text = std::move(text),
                   .next = "one of them has to be ended: " + ends,
                   .db = {},
                   .node = {},
                   .age_ms = {},
                   .ill = true,
                   .told_by = told_by});
  }
  for (const auto& h : p.held) {
    const auto q = waiting_for(p, h);
    // who waits in a circle, or for somebody in it, holds what it holds because of it
    if (!circle.empty() && !waits_itself(p, h.who).empty()) continue;
    if (q.longest_ms >= held_from_others_ms || (q.clients == 0 && h.age_ms >= held_long_ms))
      all.push_back(held_lock(p, h, q, told_by));
  }
  return all;
}

std::string who_has(const node_reports& reports, db_id db, byte_view key) {
  lock_picture p;
  for (const auto& [node, report] : reports) p.add(report);
  for (const auto& h : p.held)
    if (db_id_of(h.db) == db && h.key == key)
      return fmt::format("held by {} for {}{}", to_text(h.who), age_text(h.age_ms),
                         waits_itself(p, h.who));
  return {};
}

bool diagnosis::ill() const { return std::ranges::any_of(troubles, &known_trouble::ill); }

diagnosis diagnose(blocking_client& c, const node_map& map, pnn first, duration patience) {
  diagnosis d;
  d.asked = reachable(map);
  std::vector<known_trouble> silent;
  std::vector<pnn> lost;
  for (const auto& one : c.control_many(d.asked, control::get_node_status, {}, patience)) {
    const auto report = decode_answer<control::get_node_status>(one.reply, one.node);
    if (report)
      d.reports.emplace(one.node, std::string(report->value.value));
    else if (report.error().code == client_errc::timed_out)
      silent.push_back(silent_node(one.node, patience, first));
    else if (report.error().cause == failure_cause::disconnected)
      lost.push_back(one.node);
    else
      d.without_report.push_back(one.node);
  }
  // the others may have answered before they knew that it was lost, and why
  if (!lost.empty()) {
    std::vector<pnn> left;
    for (const auto& [node, report] : d.reports) left.push_back(node);
    for (auto& [node, report] : ask_reports(c, left, patience)) d.reports[node] = report;
    for (const pnn n : lost) silent.push_back(node_lost_meanwhile(n, first));
  }
  d.troubles = troubles_in(d.reports, first, std::move(silent));
  std::ranges::move(lock_troubles(d.reports, first), std::back_inserter(d.troubles));
  return d;
}

}  // namespace floe::cli
