#pragma once
/// Which content of a database a node had when, and which contents came from which.
///
/// Each recovery of a database makes a content in place of those that the nodes had that took part in it, whether or not
/// their copies counted; before the first one nodes have what they were created with. Two contents are *apart* if neither
/// came after the other: parts of a cluster have made them that did not see each other. What is seen in one of them says
/// nothing of the other. Of a persistent database a restart takes nothing; of others it is not known what a node has that was
/// started again, until a recovery gives it something.
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/drill/checker/checker.hpp"

namespace floe::cli::drill {

class content_history {
 public:
  content_history(const history&, const observations&, std::string db);

  /// Index of the recovery that made it, so they are in the order of time; the nodes' first content; or nothing that is known,
  /// after a restart.
  enum class content : std::size_t { first = static_cast<std::size_t>(-1), unknown = first - 1 };
  content of(std::size_t node, time_us) const;

  /// Whether these nodes had contents apart from each other at these times.
  bool apart(std::size_t one, time_us then, std::size_t other, time_us now) const;

  /// Of two contents apart the earlier one was made, and everybody who had it, or what came of it, was harmed before the first
  /// recovery that led to the later one: who went on then could not have it. Says who of them was harmed last. Nothing if one
  /// who had it was there, if the contents are not apart, or if one of them was made by a part that had to leave the cluster
  /// lock to others.
  std::optional<disturbance> could_not_have(content, content) const;

 private:
  const std::vector<bool>& ancestors(content) const;
  bool came_after(content, content earlier) const;
  /// It was made within the time that a leader leaves the lock to the others when more of them are away than with it.
  bool outnumbered(content) const;
  std::optional<disturbance> who_had_it_was_gone(content earlier, content later) const;

  const history& history_;
  bool on_disk_;                                      ///< a restart takes nothing
  std::vector<const database_recovery*> recoveries_;  ///< of this database, by time
  mutable std::vector<std::vector<bool>>
      ancestors_;  ///< of the contents in the order of time, as far as they were asked for
  mutable std::map<std::pair<content, content>, std::optional<disturbance>> gone_;
};

}  // namespace floe::cli::drill
