/// path: starts the recovery and plays it to its end (or to where somebody is silent). A line for each try: the
/// phases with the nodes that were asked; and at the end the phase it stopped in.
#include "tests/rules/verbs/db_recovery_machine.hpp"

namespace floe::rule_script {

static std::string run(world& w, words&, const std::vector<std::string>&) {
  return w.as<db_recovery_machine>("path").path();
}

extern const verb path_verb{"path", "path", run};

}  // namespace floe::rule_script
