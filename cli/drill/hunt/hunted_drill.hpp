#pragma once
/// Drills that the program writes by itself: composed anew, or made of others. What comes out follows
/// from the chance that is given. They have no blocks, and each line that may turn out to be impossible
/// begins with `try`, so that what fails is a check, never a line.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/drill/hunt/chance.hpp"
#include "cli/drill/language/script.hpp"

namespace floe::cli::drill {

struct hunted_drill {
  std::size_t nodes = 3;
  bool cluster_lock = false;
  quorum_rule quorum = quorum_rule::lock;  ///< which part of a cut cluster goes on
  bool record_table = true;        ///< clients lock in the memory that nodes share with them
  std::vector<std::string> lines;  ///< without `try`

  /// With its first line.
  std::string text() const;
};

/// Which clusters a hunt is about.
enum class hunt_scope : std::uint8_t {
  all,
  lock,      ///< with a cluster lock that is never given to two at once
  majority,  ///< with `quorum=majority`, with or without a lock
};
std::optional<hunt_scope> hunt_scope_named(std::string_view);
/// Makes one of that kind of it.
void keep_to(hunt_scope, hunted_drill&);

/// A random subset of verbs, 1 to 9 nodes, 1 to 4 databases of all kinds, loads, pauses from
/// microseconds to beyond every limit.
hunted_drill compose_drill(chance&);
/// One to three changes: lines added, left out, done again or in another order, other times and nodes,
/// the beginning of one and the end of another.
hunted_drill mutate_drill(const hunted_drill&, const hunted_drill& other, chance&);
/// A drill that somebody has written: turns of a `repeat` once, one choice of each `one of`, without what
/// only it promises.
hunted_drill taken_from(const script&, chance&);

/// As it can be played: lines that use what is not there (any more) are left out.
script readable(hunted_drill&, const std::string& name);

}  // namespace floe::cli::drill
