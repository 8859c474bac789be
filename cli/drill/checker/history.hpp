#pragma once
/// What clients asked for and were told, and which nodes were disturbed when: all that the checkers
/// know. Times are microseconds of the drill's own time.
///
/// An operation has one of three ends. `done`: it happened. `refused`: it did not. `unknown`: the
/// connection broke, or nobody answered; it may have happened, or happen later.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace floe::cli::drill {

using time_us = std::int64_t;
constexpr time_us never = std::numeric_limits<time_us>::max();

enum class op_kind : std::uint8_t {
  lock,   ///< sees the record when granted
  read,   ///< sees the record
  store,  ///< under a lock
  erase,  ///< under a lock
  unlock,
  wipe,  ///< of a whole database, or its content replaced; no key
};
enum class op_end : std::uint8_t { open, done, refused, unknown };

struct operation {
  op_kind kind = op_kind::lock;
  std::string client;
  std::size_t node = 0;
  std::string db, key;
  std::string value;          ///< stored, or seen; empty: no such record
  std::uint64_t rsn = 0;      ///< seen
  std::size_t under = 0;      ///< store, erase, unlock: index of the lock
  time_us connected = never;  ///< since when its client was connected with that process of the node
  time_us begin = 0, end = never;
  op_end result = op_end::open;
  std::string error;
  bool final_look = false;  ///< made by the checks after the drill, on every node
  bool everywhere = false;  ///< done on all nodes at once: a wipe, a restored backup
};

/// A lock, from the moment its holder knew to the moment it asked for its end (or lost its node).
struct holding {
  std::size_t lock = 0;  ///< the operation
  time_us from = 0, to = never;
};

/// A transaction on a persistent or replicated database. Refused: it never happened, nor will it.
struct transacted {
  std::string client;
  std::size_t node = 0;
  std::string db;
  std::map<std::string, std::string> writes;  ///< values that are written once; none: it only read
  std::map<std::string, std::string>
      seen;                  ///< under its lock, before it wrote; empty: no such record
  std::uint64_t seqnum = 0;  ///< of the database after an acknowledged commit; 0: not known
  time_us begin = 0, end = never;
  op_end result = op_end::open;
  std::string error;
};

/// Content that a database was given as a whole: records s0, s1 and so on.
struct seeded_content {
  std::string db;
  std::size_t records = 0, size = 0;
  std::uint64_t round = 0;          ///< so that values differ
  std::size_t node = 0;             ///< the one that was asked
  time_us at = never;               ///< when it was there
  bool sure = true;                 ///< it was; else it may have come at any time since
  std::set<std::size_t> touched{};  ///< records that are in the history

  std::string value(std::size_t record) const;
};

/// What a fault can do to the data of a node.
enum class fault_kind : std::uint8_t {
  lost,    ///< its process has ended: what only it had is gone
  paused,  ///< it stands still; the others go on without it, and what only it had is gone
  cut,     ///< as paused, but it works on by itself, and that is thrown away
  out,     ///< an operator has taken it out: what only it had is gone
  weak,    ///< its disk: nothing acknowledged may be lost by that
};

/// From the first harm done to a node until the cluster was whole again with it.
struct disturbance {
  std::size_t node = 0;
  time_us from = 0, to = never;
  std::string what;
  fault_kind how = fault_kind::lost;
  std::uint64_t event = 0;  ///< of a cut that has two sides, of which one goes on; 0: none
  int side = 0;             ///< on which this node is
  time_us cured = never;    ///< the fault was taken back; its consequences last until `to`
  bool orderly = false;     ///< by an operator who stops the node or lets it end by itself
  /// The node left in good order: others had all that it had acknowledged, when it did.
  bool handed_over = false;
  time_us left = never;  ///< of one that is orderly: when it had, or its process ended

  /// Does it believe in a cluster that has gone on without it?
  bool dark() const { return how == fault_kind::paused || how == fault_kind::cut; }
  /// Until when what was done on it may be lost. A process that has been started again, or a node that
  /// was let in again, serves nobody before a recovery; one that was cut off goes on until it knows.
  time_us harmful_until() const { return dark() ? to : std::min(cured, to); }
  /// Whether it can have taken from the node what it had at `since`, before `until`. The memory that a process shared with its
  /// clients can be used by these a little longer than it lives: `connected` is when such a client found it.
  bool harms(time_us since, time_us until, time_us connected) const {
    if (how == fault_kind::weak || (handed_over ? left : from) > until) return false;
    return harmful_until() >= since || (how == fault_kind::lost && connected <= from);
  }
};

class history {
 public:
  std::vector<operation> ops;
  std::map<std::size_t, holding> holdings;  ///< by lock
  std::vector<disturbance> disturbances;
  std::vector<transacted> transactions;
  std::vector<seeded_content> seeds;
  std::set<std::string> transactional;  ///< databases that are written by transactions only
  std::set<std::string> replicated;     ///< of these: they end with the processes
  bool cluster_lock = false;            ///< never two halves of a cluster work on
  bool majority = false;                ///< nor two parts, if one is smaller
  bool any_part = false;                ///< whoever has the lock goes on, however few
  bool lock_betrayed = false;           ///< the lock was given to two nodes at once

  std::size_t begin(operation o) {
    ops.push_back(std::move(o));
    return ops.size() - 1;
  }
  /// Before a record is used: what it was given with the whole database becomes part of the history.
  void touch(const std::string& db, const std::string& key);
  bool disturbed(std::size_t node, time_us from, time_us to = never) const {
    for (const auto& d : disturbances)
      if (d.node == node && d.to >= from && d.from <= to) return true;
    return false;
  }
  /// Whether the node may not have known, at some time in between, that the others had gone on.
  bool in_the_dark(std::size_t node, time_us from, time_us to) const {
    for (const auto& d : disturbances)
      if (d.node == node && d.dark() && d.to >= from && d.from <= to) return true;
    return false;
  }
  /// All that can have taken from the node what it had at `since`.
  std::vector<const disturbance*> harms(std::size_t node, time_us since, time_us to,
                                        time_us connected = never) const {
    std::vector<const disturbance*> all;
    for (const auto& d : disturbances)
      if (d.node == node && d.harms(since, to, connected)) all.push_back(&d);
    return all;
  }
  /// The first disturbance, if any, that can have taken from the node what it had at `since`.
  const disturbance* harmed(std::size_t node, time_us since, time_us to,
                            time_us connected = never) const {
    for (const auto& d : disturbances)
      if (d.node == node && d.harms(since, to, connected)) return &d;
    return nullptr;
  }
  void disturb(std::size_t node, time_us now, std::string what, fault_kind how,
               std::uint64_t event = 0, int side = 0) {
    disturbances.push_back({node, now, never, std::move(what), how, event, side});
  }
  /// The node has said that it has left, and whether what it had is with the others: then what is lost is not lost because an
  /// operator took it out. Who has left without that does not make up for it when he leaves another time.
  void left(std::size_t node, bool handed_over, time_us now) {
    bool asked = false;
    for (auto& d : disturbances)
      if (d.node == node && d.from <= now && d.to == never && d.cured == never && d.orderly) {
        asked = true;
        if (d.left != never && !d.handed_over) continue;
        d.handed_over = handed_over;
        d.left = now;
      }
    if (asked || !handed_over) return;
    // by itself, since it could not store something: what it has is with the others now, and will be lost with them
    disturb(node, now, "left in good order", fault_kind::out);
    disturbances.back().orderly = disturbances.back().handed_over = true;
    disturbances.back().left = now;
  }
  /// Its process has ended.
  void ended(std::size_t node, time_us now) {
    for (auto& d : disturbances)
      if (d.node == node && d.orderly && d.left == never) d.left = now;
  }
  /// The fault is taken back.
  void cure(std::size_t node, fault_kind how, time_us now) {
    for (auto& d : disturbances)
      if (d.node == node && d.how == how && d.cured == never) d.cured = now;
  }
  /// The cluster is whole with this node: what was cured before has no further consequences.
  void calm(std::size_t node, time_us now) {
    for (auto& d : disturbances) {
      if (d.node != node || d.to != never) continue;
      if (d.cured == never && (d.how == fault_kind::lost || d.dark())) continue;  // not noticed yet
      d.to = now;
      d.cured = std::min(d.cured, now);
    }
  }
};

}  // namespace floe::cli::drill
