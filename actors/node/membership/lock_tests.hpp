#pragma once
/// The cluster lock where it concerns the node and not its leader: the tests that CTDB's nodes make in a recovery, and
/// what is said about it.
///
/// Facts: Samba ctdb/server/ctdb_recover.c (test of the lock before recovery mode NORMAL, comparison of settings at
/// START_RECOVERY). Different here: a node that cannot ask for the lock lets the recovery go on, since the test
/// protects from a lock that excludes nobody, and an error shows none.
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "actors/control_call.hpp"
#include "actors/counters.hpp"
#include "actors/lock/cluster_lock.hpp"
#include "actors/node/calls/calls.hpp"
#include "actors/node/node_port.hpp"

namespace floe {

/// What is shown of the lock; `setting` empty: none is configured.
struct cluster_lock_report {
  std::string setting;
  lock_standing state = lock_standing::not_held;
  std::string detail;
  std::int64_t age_ms = 0;
  std::string trouble;  ///< why it cannot be used; empty: it can, as far as this node knows
  std::int64_t trouble_age_ms = 0;
};

class lock_tests {
 public:
  lock_tests(node_port& port, calls& others)
      : port_(port), calls_(others), since_(port.env.loop.now()) {}

  /// If this node can take the lock, the leader does not hold it, and there may be another one. Calls `then` with
  /// an objection, or nothing.
  void before_normal(std::function<void(const std::string& objection)> then);
  /// Nodes that believe in different locks do not exclude each other: as with ctdbd, the one that differs from the
  /// leader takes itself down.
  void compare_settings(const caller& leader, const replier&);
  void changed(cluster_lock_state&);
  /// Several nodes and no lock.
  bool lacking() const;
  cluster_lock_report report() const;
  /// How long the lock took to answer: to the leader that takes it, and to this node's tests.
  struct latencies {
    latency_counter taking, testing;
  };
  latencies& took() { return took_; }
  const latencies& took() const { return took_; }

  outcome_of<control::get_reclock_file> get_reclock_file() const;

 private:
  node_port& port_;
  calls& calls_;
  cluster_lock_state state_;
  time_point since_, trouble_since_;
  std::string trouble_;
  latencies took_;
  std::map<std::uint64_t, std::unique_ptr<lock_claim>> tests_;
  std::uint64_t last_test_ = 0;
};

}  // namespace floe
