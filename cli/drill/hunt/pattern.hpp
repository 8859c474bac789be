#pragma once
/// Fills in the patterns with which verbs say what a random use of them looks like (verb::uses).
/// Words in braces:
///
///   node            a number, a name that was given with `let`, leader, follower or any
///   node>LIST       the same, and remembered in that list: {node>dead} is killed, {-dead} is started
///   nodes, number, numbers, role
///   LIST            one of a list: volatile, transactional (databases), client, named (nodes)
///   database        of either kind
///   -LIST           one of a list, taken out of it
///   +LIST           a new name, put into the list
///   key, value      of a record; each value is written once
///   time            from 10 us to the longest pause of the drill
///   seconds         from 1 s to 60 s
///   pause           between two operations of a client
///   phase, database phase
///   A-B             a number from A to B
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/drill/hunt/chance.hpp"
#include "protocol/rules/time.hpp"

namespace floe::cli::drill {

/// What is there at one place of a drill.
struct drill_setting {
  std::size_t nodes = 3;
  bool cluster_lock = false;
  duration longest{std::chrono::seconds(3)};  ///< pause
  std::map<std::string, std::vector<std::string>, std::less<>> lists{};
};

/// Nothing if there is not what it speaks of.
std::optional<std::string> fill_pattern(std::string_view pattern, drill_setting&, chance&);

/// "150us", "2.5s"
std::string duration_word(duration);

}  // namespace floe::cli::drill
