#pragma once
/// The story of quickstart. Step by step:
///
///   1  three nodes start; two databases are filled through clients of all of them; smbd, a process
///   of its own, locks a
///      record of locking.tdb on node 0
///   2  node 1 is killed; the leader starts a recovery. It is held (floe recovery hold) just before
///   the nodes get the map
///      without node 1, so that the order of what follows does not depend on the machine's speed
///   3  smbd asks for a record of brlock.tdb that lives on node 2 and that node 1 tracks: on its
///   way it would have to pass
///      node 1, which is dead, so the request stays unanswered. The hold is released. brlock.tdb
///      freezes, recovers, thaws; the request goes out again under the new generation and is
///      answered, while locking.tdb still waits for smbd
///   4  smbd writes both and lets go; locking.tdb recovers; recovery mode is NORMAL
///   5  node 1 starts again; every record is read on every node
///   6  the timeline
///
/// With freeze_all no database goes on before all are frozen: smbd waits for brlock.tdb, brlock.tdb
/// for locking.tdb, locking.tdb for smbd. The leader says so after its deadline; the circle is
/// printed.
#include <memory>
#include <string>

#include "cli/exit_code.hpp"

namespace floe::wire {
class json_writer;
}

namespace floe::cli {

struct two_locks_options {
  std::string dir;
  std::size_t records = 10'000;  ///< in each database
  bool freeze_all = false;
  bool silent = false;  ///< print nothing
  bool colours = false;
  std::size_t width = 100;
};

struct world;

class two_locks {
 public:
  explicit two_locks(two_locks_options);
  ~two_locks();
  /// done: everything held; says_no: the deadlock that freeze_all promises; failed; timed_out. The
  /// nodes are gone when this returns.
  exit_code play();
  /// Ctrl-C.
  bool interrupted() const;
  /// What was expected and what happened, as members of the JSON answer.
  void put(wire::json_writer&) const;

 private:
  std::unique_ptr<world> world_;
};

}  // namespace floe::cli
