#pragma once
/// Which content of a database a node had when, and which contents came from which.
///
/// Each recovery of a database makes a content in place of those that the nodes had that took part in it, whether or not
/// their copies counted; before the first one nodes have what they were created with. Two contents are *apart* if neither
/// came after the other: parts of a cluster have made them that did not see each other. What is seen in one of them says
/// nothing of the other.
#include <optional>
#include <string>
#include <vector>

#include "cli/drill/checker/checker.hpp"

namespace floe::cli::drill {

class content_history {
 public:
  content_history(const history&, const observations&, std::string db);

  /// Whether these nodes had contents apart from each other at these times.
  bool apart(std::size_t one, time_us then, std::size_t other, time_us now) const;

 private:
  /// Index of the recovery that made it; the nodes' first content; or nothing that is known, after a restart.
  enum class content : std::size_t { first = static_cast<std::size_t>(-1), unknown = first - 1 };
  content of(std::size_t node, time_us) const;
  bool came_after(content, content earlier) const;

  const history& history_;
  std::vector<const database_recovery*> recoveries_;  ///< of this database, by time
};

}  // namespace floe::cli::drill
