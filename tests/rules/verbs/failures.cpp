/// failures: what went wrong since the start, a line each, and whether the node gets a ban credit for it.
#include "tests/rules/verbs/played_machine.hpp"

namespace floe::rule_script {

static std::string run(world& w, words&, const std::vector<std::string>&) {
  std::string out;
  for (const auto& f : w.as<played_machine>("failures").failures())
    out += describe(f) + (f.credit ? " (credit)" : "") + "\n";
  return out;
}

extern const verb failures_verb{"failures", "failures", run};

}  // namespace floe::rule_script
