/// in_each_phase, and lines below: they are played for each phase of a recovery of the cluster in which nodes are asked
/// for something, on a machine of its own each time, with the phase's name in place of PHASE. A line per phase, then
/// what its lines say.
#include "tests/rules/script/event_parser.hpp"
#include "tests/rules/verbs/cluster_recovery_machine.hpp"

namespace floe::rule_script {

static std::string run(world& w, words&, const std::vector<std::string>& body) {
  using enum cluster_phase;
  std::string out;
  for (const auto phase : {survey, recmode_active, dbmaps, start_recovery, set_vnn_map,
                           recmode_normal, end_recovery}) {
    out += std::string(name(phase)) + ":\n";
    run_line(w, "cluster_recovery", {});
    for (std::string line : body) {
      for (std::size_t at = 0; (at = line.find("PHASE", at)) != line.npos;)
        line.replace(at, 5, name(phase));
      const auto said = run_line(w, line, {});
      if (said == "nothing") continue;
      for (const auto& one : parts(said, '\n')) out += "  " + one + "\n";
    }
  }
  return out;
}

extern const verb in_each_phase_verb{"in_each_phase", "in_each_phase, and lines below", run};

}  // namespace floe::rule_script
