/// failures: what went wrong since the start, a line each, and whether the node gets a ban credit for it.
#include "protocol/rules/evidence.hpp"
#include "tests/rules/verbs/db_recovery_machine.hpp"

namespace floe::rule_script {

static std::string run(world& w, words&, const std::vector<std::string>&) {
  std::string out;
  for (const auto& f : w.as<db_recovery_machine>("failures").m.failures())
    out += describe(f) + (f.credit ? " (credit)" : "") + "\n";
  return out;
}

extern const verb failures_verb{"failures", "failures", run};

}  // namespace floe::rule_script
