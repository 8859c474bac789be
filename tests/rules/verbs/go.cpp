/// go [until=PHASE]: nodes and databases do what they were asked for, and what follows from that, until nothing is left to
/// do or the phase begins.
#include "tests/rules/verbs/played_machine.hpp"

namespace floe::rule_script {

static std::string run(world& w, words& said, const std::vector<std::string>&) {
  auto& r = w.as<played_machine>("go");
  const auto until = said.option("until");
  std::string out;
  while (r.has_pending() && r.phase() != until) r.play_next(out);
  if (until && r.phase() != *until) throw mistake("go: the phase " + *until + " has not begun");
  return out;
}

extern const verb go_verb{"go", "go [until=PHASE]", run};

}  // namespace floe::rule_script
