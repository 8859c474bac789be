#pragma once
/// A cluster lock in memory for simulations, with everything that goes wrong with real ones: it is
/// lost, its helper hangs, it cannot be asked, or it is given to somebody else while its holder
/// does not know.
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "actors/lock/cluster_lock.hpp"
#include "actors/runtime/event_loop.hpp"

namespace floe {

class sim_lock_store {
 public:
  explicit sim_lock_store(event_loop& loop) : loop_(loop) {}
  sim_lock_store(const sim_lock_store&) = delete;

  /// The lock as seen by one node.
  std::unique_ptr<cluster_locks> attach(const std::string& node);

  const std::string& holder() const { return holder_; }  ///< empty: nobody
  /// The holder is told that it has lost the lock, and so has it.
  void lose();
  /// Others may take the lock; the holder is not told, until its lease is over.
  void make_stale();
  /// Who thinks that he holds it, and does not, is told.
  void tell_robbed();
  /// From now on a lock that its holder has let go of, or lost with its life, stays taken for so long
  /// (a lock server that has not noticed). Zero ends it: what is stale is free.
  void set_stale(duration);
  /// Somebody who is no node of the cluster holds it (or lets go).
  void hold_by_stranger(bool);
  bool held_by_a_node() const { return holding_ != 0; }
  /// The node's helper neither answers nor lets go, until unwedged.
  void wedge(const std::string& node, bool);
  /// Every try of the node is an error.
  void fail(const std::string& node, bool);
  /// As a node that hangs: its lease ends.
  void expire(const std::string& node);
  std::uint64_t tries() const { return tries_; }

 private:
  friend class sim_claim;
  friend class sim_locks;
  void answer(class sim_claim&);
  void let_go();
  void free();
  duration moment();

  event_loop& loop_;
  std::string holder_;
  std::uint64_t holding_ = 0;  ///< the number of the claim that has the lock; 0: none has
  std::uint64_t granted_ = 0;  ///< claims, so far
  duration stale_{0};
  std::uint64_t stale_round_ = 0;
  std::set<class sim_claim*> claims_;
  std::set<std::string> wedged_, failing_;
  std::uint64_t tries_ = 0;
};

}  // namespace floe
