/// go [until=PHASE]: the nodes do what they were asked for, and what follows from that, until nothing is left to do or
/// the phase begins.
#include "tests/rules/script/event_parser.hpp"
#include "tests/rules/verbs/db_recovery_machine.hpp"

namespace floe::rule_script {

static std::string run(world& w, words& said, const std::vector<std::string>&) {
  auto& r = w.as<db_recovery_machine>("go");
  auto until = db_phase::idle;
  if (auto v = said.option("until")) parse(*v, until);
  std::string out;
  while (!r.pending.empty() && (until == db_phase::idle || r.m.phase() != until)) r.play_next(out);
  return out;
}

extern const verb go_verb{"go", "go [until=PHASE]", run};

}  // namespace floe::rule_script
