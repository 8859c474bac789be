#pragma once
/// The cluster lock held by processes. Every try starts one, the guard (lock_guard.hpp), in a
/// session and group of its own; it holds the lock, or runs the command that does, and ends as soon
/// as the node lets go, dies or hangs. So nothing that has to do with a cluster file system can
/// block the node, and nothing is left behind.
#include <memory>
#include <string>
#include <vector>

#include "actors/lock/cluster_lock.hpp"
#include "actors/runtime/event_loop.hpp"

namespace floe {

struct process_lock_options {
  std::vector<std::string>
      guard;  ///< the command that comes to lock_guard(); arguments are appended
  /// Over before the others take a node that hangs for lost (FloeKeepaliveLimitMs, 2.5 s), so that they find the lock free.
  duration lease{std::chrono::milliseconds(2250)};
  duration check{std::chrono::seconds(1)};     ///< a file is looked after so often,
  duration patience{std::chrono::seconds(5)};  ///< and must answer within this
  duration grace{std::chrono::seconds(3)};     ///< to let go; then the group is killed
};

/// Outlives its claims. Destroying it kills what is left after `grace`.
std::unique_ptr<cluster_locks> process_locks(event_loop&, process_lock_options);

}  // namespace floe
