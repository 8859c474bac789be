#pragma once
/// Thaws of tools that have replaced the content. A tool that is told that its thaw is done may begin with the next database at
/// once, as scripts do. So the answer waits until the recovery that must follow is over; CTDB's tool gives an answer up after
/// ten seconds, and gets it before.
#include <cstdint>
#include <map>

#include "actors/database/database_port.hpp"
#include "actors/replier.hpp"

namespace floe {

class waiting_thaws {
 public:
  explicit waiting_thaws(const database_port& port) : port_(port) {}

  /// Asks for the recovery.
  void add(const replier&);
  void on(const db_thaw_late&);
  /// The database is thawed, or the recovery is over: are they both?
  void answer();

 private:
  const database_port& port_;
  std::map<std::uint64_t, replier> all_;
  std::uint64_t last_ = 0;
};

}  // namespace floe
