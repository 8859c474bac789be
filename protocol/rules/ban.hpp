#pragma once
/// Which node to exclude, on which evidence.
///
/// Two ways to a ban, as in CTDB: a node that spoiled one recovery often enough (Samba
/// ctdb/server/ctdb_recovery_helper.c, the ban step), and one that keeps being named
/// (ctdb_recoverd.c, ban credits). Only evidence marked as a credit counts. Differences: every
/// credit keeps its evidence; credits do not fade while recoveries go on failing, however long one
/// takes; all nodes that deserve it are named, the worst first, not one per attempt.
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "protocol/ids.hpp"
#include "protocol/rules/evidence.hpp"
#include "protocol/rules/time.hpp"

namespace floe {

struct ban_verdict {
  pnn node{0};
  unsigned credits = 0;
  std::string because{};  ///< the evidence, for people
};

/// Credits of one failed recovery that suffice for a ban.
constexpr unsigned credits_per_attempt = 3;

/// Nodes with at least `enough` credits in the evidence of one recovery, most credits first, then
/// by pnn. The caller leaves out those that are inactive already.
std::vector<ban_verdict> spoilers(std::span<const evidence> failures,
                                  unsigned enough = credits_per_attempt);

/// Credits collected over time by a leader.
class ban_ledger {
 public:
  /// Credits are forgotten when nothing new is added for this long (RecoveryGracePeriod).
  explicit ban_ledger(duration grace) : grace_(grace) {}

  /// `credits` for the node of `why`; more than one when somebody else has judged already.
  void add(const evidence& why, time_point now, unsigned credits = 1);
  /// A recovery failed: what was on record when it started stays for another grace period.
  void attempt_failed(time_point started, time_point now);
  /// A recovery succeeded: everything is forgotten.
  void clear() { accounts_.clear(); }
  /// This node has been judged: what was on record is used up.
  void forget(pnn node) { accounts_.erase(node); }
  void set_grace(duration grace) { grace_ = grace; }

  unsigned credits(pnn node, time_point now) const;
  /// Nodes with at least 2 x `nodes` credits, most first; `nodes` is the size of the node map.
  std::vector<ban_verdict> verdicts(std::size_t nodes, time_point now) const;

 private:
  struct account {
    unsigned credits = 0;
    time_point last;
    std::vector<evidence> why;
  };
  bool fresh(const account& a, time_point now) const { return now - a.last <= grace_; }

  duration grace_;
  std::map<pnn, account> accounts_;
};

}  // namespace floe
