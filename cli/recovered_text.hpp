#pragma once
/// How one database was recovered, in words: for whoever looks afterwards, and for the timeline.
#include <cstdint>
#include <string>

namespace floe::cli {

struct recovered_database {
  std::string way;              ///< "unchanged", "difference" or "whole"
  std::string why;              ///< of a whole recovery
  std::uint64_t looked_at = 0;  ///< records; of a whole recovery, copies of all nodes
  std::uint64_t records = 0;    ///< that there were
  std::uint64_t bytes = 0;      ///< to the leader and from it
  std::uint64_t kept = 0,
                lost = 0;  ///< records that nodes which came back keep; that they lose to others
  double ms = 0;
};

/// "by difference: looked at 12 of 10000 records, 3 kB in 4 ms", "whole, because it was asked for: ...".
std::string recovered_text(const recovered_database&);

}  // namespace floe::cli
