#pragma once
/// Which content of a database a node had when, and which contents came from which.
///
/// Each recovery of a database makes a content in place of those that the nodes had that took part in it, whether or not
/// their copies counted; before the first one nodes have what they were created with, which is one content for all that were in the
/// vnn map of that time. Two contents are *apart* if neither
/// came after the other: parts of a cluster have made them that did not see each other. What is seen in one of them says
/// nothing of the other. A node that left in good order with the recovery of a content has what there was when that was made, and
/// nothing of what came then: what it goes on with came from those before. Of a persistent database a restart takes nothing; of others a node that was
/// started again has what it creates under its first vnn map, if no recovery gives it something; before that it is not known what
/// it has.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/drill/checker/checker.hpp"

namespace floe::cli::drill {

class content_history {
 public:
  content_history(const history&, const observations&, std::string db);

  /// Index of the recovery that made it, or of the map under which it was created, so they are in the order of time; what there was
  /// before there was a map; or nothing that is known, after a restart.
  enum class content : std::size_t { first = static_cast<std::size_t>(-1), unknown = first - 1 };
  content of(std::size_t node, time_us) const;
  /// The content in which the node acknowledged something at that time. Who is shut down goes on for a moment, and who is killed may
  /// just have answered: what arrives after that, when the next process has no content yet, came from the one before.
  content answered_in(std::size_t node, time_us) const;
  /// When the node had what was done at the latest for certain, before that was told. Whoever replaces a content waits for the
  /// recovery that follows, and hears of it long after that.
  time_us made_at(const operation&) const;

  /// Who had it, since when, and got what was written in it up to then: all for whom it was made, but those that had left with that.
  std::map<std::size_t, time_us> shared_by(content, time_us until) const;

  /// Whether these nodes had contents apart from each other at these times.
  bool apart(std::size_t one, time_us then, std::size_t other, time_us now) const;

  /// Whether what was in the earlier one is in the later one, where a recovery takes one content whole and leaves all others
  /// behind, as those of databases that are written by transactions do.
  bool was_taken_into(content earlier, content later) const;

  /// Of two contents apart the earlier one was made, and everybody who had it, or what came of it, was harmed before the first
  /// recovery that led to the later one: who went on then could not have it. Says who of them was harmed last. Nothing if one
  /// who had it was there, if the contents are not apart, or if one of them was made by a part that had to leave the cluster
  /// lock to others.
  std::optional<disturbance> could_not_have(content, content) const;

 private:
  void add_births(const observations&);
  void add_leavers(const observations&);
  content last_since(time_us started, std::size_t node, time_us) const;
  const std::vector<bool>& ancestors(content) const;
  bool came_after(content, content earlier) const;
  bool had_left(std::size_t node, content, time_us) const;
  /// It was made within the time for which a leader leaves the lock to the others when more of them are away than with it: since one
  /// of the nodes that made it has lost the last of them.
  bool outnumbered(content) const;
  bool is_outnumbered(content) const;
  /// When the node took the other one for lost, if it still does; nothing: it has it, or has been started since.
  std::optional<time_us> lost_since(std::size_t node, std::size_t other, time_us) const;
  std::optional<disturbance> who_had_it_was_gone(content earlier, content later) const;

  const history& history_;
  const observations& seen_;
  std::string db_;
  bool on_disk_;                           ///< a restart takes nothing
  std::vector<database_recovery> births_;  ///< under maps with which the database was not recovered
  std::vector<const database_recovery*> recoveries_;  ///< of this database, and these, by time
  std::vector<bool> is_birth_;                        ///< of each of them
  std::set<std::pair<std::size_t, std::uint32_t>>
      left_with_;  ///< nodes, and generations of maps in which they are not
  mutable std::vector<std::vector<bool>>
      ancestors_;  ///< of the contents in the order of time, as far as they were asked for
  mutable std::map<content, bool> outnumbered_;
  mutable std::map<std::pair<content, content>, std::optional<disturbance>> gone_;
};

}  // namespace floe::cli::drill
