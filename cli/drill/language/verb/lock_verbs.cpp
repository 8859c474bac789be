/// What goes wrong with the cluster lock.
#include "cli/drill/language/verb/all.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "cli/drill/run/resolve_nodes.hpp"

namespace floe::cli::drill {
namespace {

action fault_of_all(lock_fault what) {
  return [what](drill_run& s) -> outcome {
    if (s.cluster().break_lock(what, 0)) s.past.lock_betrayed = true;
    return {};
  };
}

action fault_of_nodes(line_parser& w, lock_fault what) {
  w.expect("on");
  return for_each_node(w.nodes(), [what](drill_run& s, std::size_t n) -> outcome {
    s.cluster().break_lock(what, n);
    return {};
  });
}

action read_lock_fault(line_parser& w) {
  w.needs(ability::lock_faults);
  if (!w.names.cluster_lock) w.fail("the cluster has no lock: `cluster lock=yes` gives it one");
  if (w.take("lost")) return fault_of_all(lock_fault::lost);
  if (w.take("stolen")) return fault_of_all(lock_fault::stolen);
  if (w.take("taken")) return fault_of_all(lock_fault::stranger);
  if (w.take("wedged")) return fault_of_nodes(w, lock_fault::wedged);
  if (w.take("unreachable")) return fault_of_nodes(w, lock_fault::unreachable);
  if (w.take("stale")) {
    w.expect("for");
    const auto d = w.time();
    return [d](drill_run& s) -> outcome {
      s.cluster().keep_lock_after_death(d);
      return {};
    };
  }
  if (!w.take("good")) w.miss("lost, stolen, taken, wedged, unreachable, stale or good");
  return [](drill_run& s) -> outcome {
    s.cluster().mend_lock();
    return {};
  };
}

}  // namespace

std::vector<verb> lock_verbs() {
  return {{.name = "lock",
           .group = "Faults",
           .arguments = "lost | stolen | taken | stale for DURATION | wedged on NODES | "
                        "unreachable on NODES | good",
           .summary = "the cluster lock (`cluster lock=yes`): its holder loses it; others can take "
                      "it and its holder finds out three seconds later; a "
                      "stranger has it; it stays taken for a while when its holder has died or let "
                      "go; taking and giving it back "
                      "hangs on some nodes, or is an error; all is good again",
           .example = "lock stale for 20s",
           .read = read_lock_fault,
           .fault = {.ends = fault_end::undone, .mended_by = "good", .passing = "lost"},
           .uses = {"lock lost", "lock stolen", "lock taken", "lock stale for {time}",
                    "lock wedged on {node}", "lock unreachable on {node}", "lock good"}}};
}

}  // namespace floe::cli::drill
