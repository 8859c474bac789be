#pragma once
/// What signals mean to a node. Nothing that is sent by accident ends it:
///
///     TERM, INT, QUIT   end in an orderly way; a second one ends at once
///     HUP               reopen the log, take its level from ctdb.conf again
///     USR1              write a report of the node's state into the log
///     others that would end a process without need (USR2, ALRM, real-time signals ...): a line in the log
///
/// A fault (SEGV, BUS, ABRT, FPE, ILL) leaves a last line in the log and on standard error, and then ends the process as
/// it would have.
#include <csignal>

#include <functional>

#include "actors/log_target.hpp"
#include "actors/runtime/event_loop.hpp"

namespace floe::cli {

/// The signals above, to be blocked before any thread exists, so that all have it.
sigset_t node_signals();

struct signal_actions {
  std::function<void(int number, int from_pid)> end, reload, report, other;
};
/// Reads them from the loop until it is destroyed.
class signal_watch {
 public:
  signal_watch(event_loop&, signal_actions);
  ~signal_watch();
  signal_watch(const signal_watch&) = delete;
  signal_watch& operator=(const signal_watch&) = delete;

 private:
  event_loop& loop_;
  int fd_;
};

/// From now on a fault writes its line to this log (a file; else to standard error only). Again when it was reopened.
void report_faults_to(const log_target&);

}  // namespace floe::cli
