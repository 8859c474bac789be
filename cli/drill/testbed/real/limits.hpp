#pragma once
/// What real processes allow on this machine, for this user, found out by trying; and what they never
/// allow.
#include <optional>
#include <string>
#include <vector>

#include "cli/drill/testbed/testbed.hpp"

namespace floe::cli::drill {

/// What kinds of nodes are wanted, and how.
struct real_options {
  std::vector<node_kind> kinds;  ///< of each node
  bool keep = false;             ///< the nodes' files, in any case
};

struct real_limits {
  std::optional<std::string> no_wire;    ///< why namespaces or their network devices cannot be made
  std::optional<std::string> no_mounts;  ///< why no small file systems can be made
  bool any_ctdbd = false;

  std::optional<std::string> cannot(ability) const;
};

real_limits find_limits(const real_options&);

/// Into a mount namespace of its own, and if need be into a user namespace in which we are root, with
/// loopback addresses of its own: to be called once, by a process with one thread, before any wire is made. Nothing, or why not.
std::optional<std::string> enter_own_mounts();

}  // namespace floe::cli::drill
