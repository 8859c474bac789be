#pragma once
/// When what was written to the store is committed: one commit for all that is already in the mailbox. What a volatile database
/// has is lost with the node in any case, and reads see it at once: its commits wait for more, so that none is in the way of a
/// record that moves on.
#include <cstdint>

#include "actors/database/database_port.hpp"

namespace floe {

class group_commits {
 public:
  explicit group_commits(const database_port& port) : port_(port) {}

  /// Something was written.
  void plan();
  /// The time has come.
  void commit();

 private:
  enum class plan_is : std::uint8_t { none, later, next_turn };

  const database_port& port_;
  plan_is plan_ = plan_is::none;
  bool refused_ = false;  ///< the last commit
};

}  // namespace floe
