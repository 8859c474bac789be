#pragma once
/// The cluster lock as nodes see it: something outside the cluster that one node at a time can
/// hold, so that two halves of a cluster that cannot see each other never lead both. Two
/// implementations: processes (process_lock.hpp) and, for simulations, a store in memory
/// (sim_cluster_lock.hpp).
///
/// A setting is what ctdb.conf says: the absolute path of a file, whose first byte is locked, or
/// `!` and a command that keeps to CTDB's convention for helpers (Samba
/// ctdb/server/ctdb_cluster_mutex.c: one character on standard output, the lock is held as long as
/// the helper lives).
///
/// The lock is a lease: a node that hangs loses it after `lease`, although it cannot notice, and
/// finds so when it goes on (`expired`).
#include <functional>
#include <memory>
#include <string>

#include "protocol/rules/election.hpp"
#include "protocol/rules/time.hpp"

namespace floe {

struct lock_answer {
  lock_outcome outcome = lock_outcome::failed;
  std::string why;  ///< of a failure
};

/// Called on the loop, between turns of actors.
struct lock_events {
  std::function<void(lock_answer)> answered;  ///< once, whatever happens
  std::function<void(std::string why)> lost;  ///< at most once, after it was taken
};

/// One try for the lock, and the lock itself if it was taken. Destroying it gives up either.
class lock_claim {
 public:
  virtual ~lock_claim() = default;
  /// No event comes any more. `done` is called when others can take the lock, or after a limit when
  /// nobody knows; the claim may be destroyed before.
  virtual void release(std::function<void()> done) = 0;
  /// Has this node not been able to renew the lock in time? Then it may be somebody else's already.
  virtual bool expired() const = 0;
};

class cluster_locks {
 public:
  virtual ~cluster_locks() = default;
  /// Tries once. The answer comes within `limit`: `failed` if nothing is known by then.
  virtual std::unique_ptr<lock_claim> claim(const std::string& setting, duration limit,
                                            lock_events) = 0;
};

/// Of a cluster of several nodes that has none.
inline constexpr const char* no_cluster_lock_warning =
    "no cluster lock: after a network partition each side elects a leader of its own";

/// What is wrong with a setting; empty if it can be used.
std::string wrong_lock_setting(const std::string& setting);

}  // namespace floe
