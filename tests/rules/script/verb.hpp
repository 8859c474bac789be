#pragma once
/// What a line of a rule script can do besides naming an event: one verb, one file in tests/rules/verbs, one row in
/// verbs/verbs.def.
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/rules/time.hpp"
#include "tests/rules/script/machine.hpp"

namespace floe::rule_script {

/// Everything that lives while a script runs.
struct world {
  std::unique_ptr<machine> current;  ///< the machine that events go to
  time_point now{std::chrono::seconds(1000)};

  /// The current machine; a mistake if it is of another kind, or none was made.
  template <class Machine>
  Machine& as(std::string_view verb) {
    if (auto* m = dynamic_cast<Machine*>(current.get())) return *m;
    throw mistake(std::string(verb) + " does not go with the machine of this script");
  }
};

struct verb {
  std::string_view name;
  std::string_view usage;  ///< "go [until=PHASE]"
  /// What the lines below the verb say is in `body`. Returns what happened, line by line.
  std::string (*run)(world&, words&, const std::vector<std::string>& body);
};

std::span<const verb* const> verbs();

/// Runs a verb, or feeds the current machine the event of this name. "nothing" if nothing followed.
std::string run_line(world&, const std::string& line, const std::vector<std::string>& body);

}  // namespace floe::rule_script
