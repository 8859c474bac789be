#pragma once
/// The processes of the nodes of a drill. Each daemon leads a session of its own, in which its
/// helpers stay; and whoever we have started, and whoever they have started, is our descendant until
/// it ends, wherever it moves.
#include <sys/types.h>

#include <expected>
#include <string>
#include <vector>

#include "protocol/rules/time.hpp"

namespace floe::cli::drill {

struct program {
  std::vector<std::string> words;
  std::vector<std::string> environment{};  ///< "NAME=VALUE", added to ours
  std::string output;                      ///< file for what it prints
  int network = -1;                        ///< the namespace; -1: ours
};

/// Ends with us, whatever happens to us.
std::expected<pid_t, std::string> start_daemon(const program&);
/// Gone and buried. `how`, if given: "exit status 1", "signal 9".
bool ended(pid_t, std::string* how = nullptr);
/// A signal to the daemon and all its helpers.
void signal_session(pid_t leader, int signal);
/// SIGKILL to the daemon and its helpers; returns when it is buried.
void kill_session(pid_t leader);

/// From now on orphans of what we start come to us.
void adopt_orphans();
/// SIGKILL to every descendant, also those that are stopped, until there is none.
void kill_descendants();

}  // namespace floe::cli::drill
