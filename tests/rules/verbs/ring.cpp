/// ring: all alarms that a recovery of the cluster has set go off, and what follows from that.
#include <utility>

#include "tests/rules/verbs/cluster_recovery_machine.hpp"

namespace floe::rule_script {

static std::string run(world& w, words&, const std::vector<std::string>&) {
  auto& r = w.as<cluster_recovery_machine>("ring");
  std::string out;
  for (const auto& a : std::exchange(r.alarms, {})) {
    r.now += a.after;
    r.put(cluster_event::woke{a.epoch, a.why}, out);
  }
  return out;
}

extern const verb ring_verb{"ring", "ring", run};

}  // namespace floe::rule_script
