#include "actors/node/report/troubles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "actors/lock/cluster_lock.hpp"
#include "actors/node/report/node_report.hpp"
#include "protocol/constants.hpp"

namespace floe {
namespace {

using nlohmann::json;

constexpr std::int64_t commit_patience_ms = 1000;
/// Longer than a database is frozen in a recovery that nobody notices.
constexpr std::int64_t long_freeze_ms = 5000;

constexpr auto explained_flags = node_flag::stopped | node_flag::permanently_disabled |
                                 node_flag::unhealthy | node_flag::catching_up;
constexpr std::string_view frozen_kind = "database-frozen";

/// Collects them; every function is about one kind of thing.
struct examiner {
  const status_snapshot& s;
  const std::vector<database_report>& databases;
  std::vector<trouble> found;

  const cluster_view& view() const { return *s.view; }
  /// Who is banned or stopped, or is filled before it joins, stays in recovery mode ACTIVE and frozen until it comes back,
  /// and takes part in no recovery.
  bool inactive() const {
    return view().own_flags() & (node_flag::banned | node_flag::stopped | node_flag::catching_up);
  }

  void own_state();
  trouble banned(const bans::ban&) const;
  void unexplained_flags();
  void by_operators();
  trouble joining(const joining_progress&) const;
  void run_state();
  void leadership();
  trouble no_leader() const;
  void recovery();
  std::string paused_text() const;
  void peers();
  void storage();
  void hints();
  std::int64_t age_of(std::uint32_t flag) const {
    const auto i = s.flag_ages_ms.find(flag);
    return i == s.flag_ages_ms.end() ? -1 : i->second;
  }
  std::int64_t age_of(pnn other, std::uint32_t flag) const {
    const auto node = s.flag_ages_of_others_ms.find(other);
    if (node == s.flag_ages_of_others_ms.end()) return -1;
    const auto i = node->second.find(flag);
    return i == node->second.end() ? -1 : i->second;
  }
};

/// A command that is to be given to this node, wherever it is typed.
std::string command_for(std::uint32_t node, std::string_view verb) {
  return fmt::format("floe -n {} {}", node, verb);
}

/// Without the name of the lock's file, which is said before it.
std::string_view lock_trouble(const cluster_lock_report& l) {
  std::string_view why = l.trouble;
  if (why.starts_with(l.setting) && why.substr(l.setting.size()).starts_with(": "))
    why.remove_prefix(l.setting.size() + 2);
  return why;
}

std::string list_of(const json& nodes) {
  std::string all;
  for (const auto& n : nodes) all += (all.empty() ? "" : ", ") + n.dump();
  return all;
}

// --- this node --------------------------------------------------------------------------------------------------

void examiner::own_state() {
  if (s.ban)
    found.push_back(banned(*s.ban));
  else
    unexplained_flags();
  by_operators();
  if (s.joining) found.push_back(joining(*s.joining));
  run_state();
}

trouble examiner::banned(const bans::ban& b) const {
  const auto age_us = s.now_us - b.since_us;
  const bool asked = b.cause == ban_cause::asked;
  const auto who =
      asked ? std::string("an operator") : fmt::format("node {} ({})", number(b.by), name(b.cause));
  return {.kind = "banned",
          .says = fmt::format("is banned by {}: {}; {} s left", who, b.why,
                              std::max<std::int64_t>(b.seconds - age_us / 1'000'000, 0)),
          .next = (asked                ? "it ends by itself; or "
                   : b.for_want_of_room ? "make room there, and it comes back by itself; or "
                                        : "mend what is named; or ") +
                  command_for(number(view().self), "unban"),
          .node = view().self,
          .age_ms = age_us / 1000,
          .part = health_part::flags};
}

void examiner::unexplained_flags() {
  const auto unexplained = view().own_flags() & ~explained_flags;
  if (unexplained == 0) return;
  found.push_back({.kind = "flags",
                   .says = fmt::format("has the flags {}", node_flags_text(unexplained)),
                   .next = "its log says who set them",
                   .node = view().self,
                   .part = health_part::flags});
}

void examiner::by_operators() {
  const auto flags = view().own_flags();
  if (flags & node_flag::stopped)
    found.push_back({.kind = "stopped",
                     .says = "was stopped by an operator",
                     .next = command_for(number(view().self), "continue"),
                     .node = view().self,
                     .age_ms = age_of(node_flag::stopped),
                     .part = health_part::flags});
  if (flags & node_flag::permanently_disabled)
    found.push_back({.kind = "disabled",
                     .says = "was disabled by an operator",
                     .next = command_for(number(view().self), "enable"),
                     .node = view().self,
                     .age_ms = age_of(node_flag::permanently_disabled),
                     .part = health_part::flags});
}

trouble examiner::joining(const joining_progress& p) const {
  const auto left = p.left_ms < 0
                        ? std::string()
                        : fmt::format(", {:.1f} s left", static_cast<double>(p.left_ms) / 1000);
  return {.kind = "catching-up",
          .says = fmt::format("is filled from node {} before it joins: {} of {} records{}",
                              number(p.from), p.records, p.in_all, left),
          .next = "it ends by itself; the others go on meanwhile",
          .node = view().self,
          .age_ms = p.ms,
          .part = health_part::flags};
}

void examiner::run_state() {
  if (view().run > runstate::running)
    found.push_back({.kind = "ending",
                     .says = "is ending: it was told to",
                     .next = "start it again: floe node, systemctl start floe",
                     .node = view().self,
                     .part = health_part::runstate});
  if (view().run < runstate::running && !s.joining)
    found.push_back({.kind = "starting",
                     .says = fmt::format("is {}: no recovery has taken it in yet",
                                         runstate_text(static_cast<std::uint64_t>(view().run))),
                     .next = "the other lines say what keeps the cluster from recovering",
                     .node = view().self,
                     .age_ms = (s.now_us - s.started_us) / 1000,
                     .part = health_part::runstate,
                     .follows = true});
  if (view().run == runstate::running && (view().own_flags() & node_flag::unhealthy) && !s.joining)
    found.push_back({.kind = "unhealthy",
                     .says = "is marked unhealthy",
                     .next = "who marked it? its log says (flags)",
                     .node = view().self,
                     .part = health_part::flags});
}

// --- leader and recovery ----------------------------------------------------------------------------------------

trouble examiner::no_leader() const {
  trouble t{.kind = "no-leader",
            .age_ms = s.leader_age_ms,
            .part = health_part::leader,
            .follows = s.lock.trouble.empty()};
  if (!s.lock.trouble.empty()) {
    t.text = fmt::format("nobody leads the cluster: its lock {} cannot be had: {}", s.lock.setting,
                         lock_trouble(s.lock));
    t.next = "make the lock's directory be there, and its file writable, on the nodes";
  } else if (s.lock.state == lock_standing::held_by_another) {
    t.text =
        fmt::format("nobody leads the cluster: a node that node {} does not hear holds its lock",
                    number(view().self));
    t.next = "which nodes are not connected to this one, and why?";
  } else {
    t.text = "nobody leads the cluster: an election is going on";
    t.next = "it ends by itself; if not: which nodes are connected?";
  }
  return t;
}

void examiner::leadership() {
  if (view().leader == pnn::unknown) found.push_back(no_leader());
  if (!s.lock.trouble.empty())
    found.push_back({.kind = "cluster-lock",
                     .says = fmt::format("cannot use the cluster lock {}: {}", s.lock.setting,
                                         lock_trouble(s.lock)),
                     .next = "floe explain cluster-lock-failed",
                     .node = view().self,
                     .age_ms = s.lock.trouble_age_ms,
                     .part = health_part::cluster_lock});
  if (s.cut_off)
    found.push_back({.kind = "cut-off",
                     .says = "serves nobody, others may go on without it: " + s.cut_off->why,
                     .next = s.cut_off->next,
                     .node = view().self,
                     .age_ms = s.cut_off->age_ms});
}

/// What a step of a recovery waits for; `text` empty: for nothing.
struct step_wait {
  std::string text{};
  bool held = false;  ///< by an operator
};

/// Of the leader's own report.
step_wait waits_for(const json& step) {
  const auto held = step.value("held", json());
  if (held.is_string() && !held.get<std::string>().empty())
    return {fmt::format("is held at {} by an operator", held.get<std::string>()), true};
  if (const auto nodes = step.value("waiting_for", json::array()); !nodes.empty())
    return {fmt::format("waits at {} for node {}", step.value("phase", ""), list_of(nodes))};
  return {};
}

/// Of the cluster and of its databases, as many as can be read.
step_wait all_waits_of(const json& running) {
  auto all = waits_for(running);
  for (const auto& d : running.value("databases", json::array()))
    if (const auto one = waits_for(d); all.text.size() < 300 && !one.text.empty()) {
      all.text +=
          fmt::format("{}{} {}", all.text.empty() ? "" : ", ", d.value("name", ""), one.text);
      all.held |= one.held;
    }
  return all;
}

constexpr std::string_view paused_next =
    "one that becomes necessary waits for that; a tool that has ended without allowing them again "
    "is the usual cause";

std::string examiner::paused_text() const {
  return fmt::format("recoveries are disabled, as node {} has asked, for another {:.0f} s",
                     number(s.paused->by),
                     std::ceil(static_cast<double>(s.paused->left_ms) / 1000));
}

void examiner::recovery() {
  if (view().mode == recovery_mode::active && !inactive()) {
    const auto running = s.recovery.empty() ? json() : json::parse(s.recovery, nullptr, false);
    std::string text = fmt::format("recovery mode is ACTIVE: {}", s.mode_why);
    std::string next = view().leader == pnn::unknown
                           ? "it begins when a node leads"
                           : "it ends by itself; floe recovery status shows how far it is";
    bool explained = !s.recovery_failures.empty();
    if (running.is_object()) {
      const auto waits = all_waits_of(running);
      if (!waits.text.empty()) text += "; the recovery " + waits.text;
      if (waits.held) next = "floe recovery release";
      explained = !waits.text.empty();
    }
    if (s.paused && !running.is_object()) {
      text += "; " + paused_text();
      next = paused_next;
      explained = true;
    }
    if (!s.recovery_failures.empty())
      text += fmt::format("; the last one failed: {}", s.recovery_failures.front());
    found.push_back({.kind = "recovery",
                     .text = std::move(text),
                     .next = std::move(next),
                     .age_ms = s.mode_age_ms,
                     .part = health_part::recovery_mode,
                     .follows = !explained});
  }
  for (const auto& d : databases) {
    if (d.state != freeze_state::freezing || d.holders.empty()) continue;
    const auto& h = d.holders.front();
    found.push_back(
        {.kind = "freeze-waits",
         .text = fmt::format(
             "{} cannot freeze: {} (pid {}) on node {} has held a record lock for {:.1f} s{}",
             d.name, h.name.empty() ? "a client" : h.name, h.pid, number(view().self),
             static_cast<double>(h.age_ms) / 1000,
             d.holders.size() > 1 ? fmt::format(", and {} more", d.holders.size() - 1) : ""),
         .next = "floe locks; after LockHolderPatience the client is disconnected",
         .db = d.name,
         .node = view().self,
         .age_ms = d.state_age_ms,
         .part = health_part::databases});
  }
}

// --- other nodes ------------------------------------------------------------------------------------------------

void examiner::peers() {
  for (std::size_t i = 0; i < view().nodes.size(); ++i) {
    const pnn p{static_cast<std::uint32_t>(i)};
    const auto flags = view().nodes[i].flags;
    if (p == view().self || (flags & node_flag::deleted)) continue;
    if (flags & node_flag::disconnected) {
      const auto reason = s.absent.find(p);
      const auto why =
          reason == s.absent.end()
              ? absence{.kind = "node", .text = "is not connected", .next = {}, .age_ms = -1}
              : reason->second;
      found.push_back(
          {.kind = why.kind, .says = why.text, .next = why.next, .node = p, .age_ms = why.age_ms});
      continue;
    }
    for (const auto& [bit, what] :
         {std::pair{node_flag::banned, "is banned"},
          std::pair{node_flag::stopped, "was stopped by an operator"},
          std::pair{node_flag::permanently_disabled, "was disabled by an operator"}})
      if (flags & bit)
        found.push_back({.kind = bit == node_flag::banned    ? "banned"
                                 : bit == node_flag::stopped ? "stopped"
                                                             : "disabled",
                         .says = what,
                         .next = fmt::format("floe -n {} status says more", i),
                         .node = p,
                         .age_ms = age_of(p, bit)});
    if (flags & node_flag::catching_up)
      found.push_back(
          {.kind = "catching-up",
           .says = "is filled before it joins",
           .next = fmt::format("it ends by itself; floe -n {} status says how far it is", i),
           .node = p,
           .age_ms = age_of(p, node_flag::catching_up)});
    if (flags == node_flag::unhealthy)
      found.push_back({.kind = "unhealthy",
                       .says = "has not finished starting",
                       .next = fmt::format("floe -n {} status says more", i),
                       .node = p});
  }
}

// --- databases --------------------------------------------------------------------------------------------------

void examiner::storage() {
  // of a recovery, or of a node that takes part in none, that databases are frozen needs no words of its own
  const bool explained = view().mode == recovery_mode::active || inactive();
  for (const auto& d : databases)
    for (auto& t : troubles_of(d, view().self))
      if (!explained || t.kind != frozen_kind) found.push_back(std::move(t));
  for (const auto& [db, why] : s.disputes)
    found.push_back({.kind = "database-disputed",
                     .text = fmt::format("{} is out of use, its nodes disagree: {}", db, why),
                     .next = "detach it where it is wrong, then floe recover",
                     .db = db,
                     .node = view().self,
                     .part = health_part::databases});
}

/// The work goes on.
void examiner::hints() {
  for (const auto& d : databases)
    if (d.commit_age_ms >= commit_patience_ms)
      found.push_back({.kind = "commit",
                       .text = fmt::format("{}: a transaction {}, since {:.1f} s", d.name, d.commit,
                                           static_cast<double>(d.commit_age_ms) / 1000),
                       .next = "it ends by itself, or with the next recovery",
                       .db = d.name,
                       .age_ms = d.commit_age_ms,
                       .ill = false});
  if (s.paused && view().mode == recovery_mode::normal)
    found.push_back({.kind = "recoveries-disabled",
                     .text = paused_text(),
                     .next = std::string(paused_next),
                     .age_ms = s.paused->age_ms,
                     .ill = false});
  if (s.lacks_lock)
    found.push_back({.kind = "no-cluster-lock",
                     .text = no_cluster_lock_warning,
                     .next = "set `cluster lock` in ctdb.conf of every node",
                     .ill = false});
}

trouble with_subject(trouble t) {
  if (!t.says.empty())
    t.text = t.db.empty() ? fmt::format("node {} {}", number(*t.node), t.says)
                          : fmt::format("{}: {}", t.db, t.says);
  return t;
}

}  // namespace

std::vector<trouble> troubles_of(const database_report& d, pnn self) {
  std::vector<trouble> found;
  const auto add = [&](std::string_view kind, std::string text, std::string next,
                       std::int64_t age_ms) {
    found.push_back({.kind = kind,
                     .text = std::move(text),
                     .next = std::move(next),
                     .db = d.name,
                     .node = self,
                     .age_ms = age_ms,
                     .part = health_part::databases});
  };
  if (!d.storage_trouble.empty())
    found.push_back(with_subject(
        {.kind = "storage",
         .says = fmt::format("the storage of node {} refuses: {}", number(self), d.storage_trouble),
         .next = "free space or mend the device; floe explain storage-failed",
         .db = d.name,
         .node = self,
         .age_ms = d.storage_age_ms,
         .part = health_part::databases}));
  if (!d.damage.empty())
    add("database-damaged",
        fmt::format("{} is not whole on node {}: {}", d.name, number(self), d.damage),
        "a recovery heals it if another node has a whole copy; else floe restoredb", -1);
  if (d.state != freeze_state::thawed && d.state_age_ms >= long_freeze_ms)
    add(frozen_kind, fmt::format("{} is {} on node {}", d.name, name(d.state), number(self)),
        "floe getdbstatus; who froze it thaws it, or a recovery does", d.state_age_ms);
  return found;
}

std::vector<trouble> troubles_of(const status_snapshot& s,
                                 const std::vector<database_report>& databases) {
  examiner e{s, databases, {}};
  e.own_state();
  e.leadership();
  e.storage();
  e.recovery();
  e.peers();
  e.hints();
  for (auto& t : e.found) t = with_subject(std::move(t));
  std::ranges::stable_partition(e.found, [](const trouble& t) { return !t.follows; });
  return std::move(e.found);
}

}  // namespace floe
