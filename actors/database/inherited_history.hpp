#pragma once
/// Who was filled in a recovery has a content without a past: it knows nothing of what was changed before, so a part of a
/// cluster whose nodes were all started again, one after the other, could not tell any more which records it has touched since others
/// left it (rules R6 and R8 of the model), nor that an operator has put the content there. Those who had the content before know. They are asked when the database is open
/// again, one after the other and step by step, until nothing older is known or there is no room for it. Nothing waits for that.
#include <cstdint>
#include <vector>

#include "actors/database/database_port.hpp"
#include "protocol/rules/content_past.hpp"

namespace floe {

class inherited_history {
 public:
  inherited_history(const database_port& port, content_past& past) : port_(port), past_(past) {}

  /// A recovery has given this copy all that it has; what it knew of another content is over.
  void wanted();
  /// The database is open: all have committed the content.
  void ask_if_wanted();
  void on(const db_step_told&);

 private:
  void ask();
  bool take(const control_answer&);
  void take_past(byte_view);

  const database_port& port_;
  content_past& past_;
  bool wanted_ = false;
  std::vector<pnn> to_ask_;  ///< the last one is asked now
  std::uint64_t question_ = 0;
};

}  // namespace floe
