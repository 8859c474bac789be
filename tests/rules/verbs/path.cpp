/// path: starts the recovery, if it was not started, and plays it to its end (or to where somebody is silent). A line: the
/// phases with the nodes that were asked (of one database: a line for each try), and at the end the phase it stopped in.
#include "tests/rules/verbs/played_machine.hpp"

namespace floe::rule_script {

static std::string run(world& w, words&, const std::vector<std::string>&) {
  return w.as<played_machine>("path").path();
}

extern const verb path_verb{"path", "path", run};

}  // namespace floe::rule_script
