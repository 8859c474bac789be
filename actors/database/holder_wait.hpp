#pragma once
/// Whom a freeze waits for: clients that hold record locks of this database. They are named at once and every second,
/// and when they do not let go in time, what the policy says is done to *them*, before anybody blames the node.
#include <cstdint>
#include <vector>

#include "actors/database/database_port.hpp"
#include "actors/database/lock_table.hpp"

namespace floe {

class holder_wait {
 public:
  explicit holder_wait(const database_port& port) : port_(port) {}

  void set(const db_holder_rules& rules) { rules_ = rules; }
  /// A freeze has begun to wait; `leaves`: of a node that leaves the cluster, for which nobody waits long.
  void begin(const std::vector<key_holder>& holders, bool leaves);
  void name(const std::vector<key_holder>& holders) const;
  /// Of the wait that goes on, or went on last.
  bool is_of_this(const db_holders_late& m) const { return m.freeze == number_; }
  /// They have had their time.
  void late(const std::vector<key_holder>& holders);

 private:
  void expect() const;

  const database_port& port_;
  db_holder_rules rules_{holder_policy::disconnect, std::chrono::seconds(10)};
  std::uint64_t number_ = 0;
  bool leaves_ = false;
};

}  // namespace floe
