/// What goes wrong with the cluster lock.
#include "cli/drill/stage.hpp"
#include "cli/drill/verb/all.hpp"

namespace floe::cli::drill {
namespace {

action harm(lock_fault what) {
  return [what](stage& s) -> outcome {
    s.cluster().harm_lock(what, 0);
    return {};
  };
}

action harm_of_nodes(words& w, lock_fault what) {
  w.expect("on");
  return for_each_node(w.nodes(), [what](stage& s, std::size_t n) -> outcome {
    s.cluster().harm_lock(what, n);
    return {};
  });
}

action read_lock(words& w) {
  w.needs(ability::lock_faults);
  if (!w.names.cluster_lock) w.fail("the cluster has no lock: `cluster lock=yes` gives it one");
  if (w.take("lost")) return harm(lock_fault::lost);
  if (w.take("stolen"))
    return [](stage& s) -> outcome {
      s.past.lock_betrayed = true;
      s.cluster().harm_lock(lock_fault::stolen, 0);
      return {};
    };
  if (w.take("taken")) return harm(lock_fault::stranger);
  if (w.take("wedged")) return harm_of_nodes(w, lock_fault::wedged);
  if (w.take("unreachable")) return harm_of_nodes(w, lock_fault::unreachable);
  if (w.take("stale")) {
    w.expect("for");
    const auto d = w.time();
    return [d](stage& s) -> outcome {
      s.cluster().keep_lock_after_death(d);
      return {};
    };
  }
  if (!w.take("good")) w.miss("lost, stolen, taken, wedged, unreachable, stale or good");
  return [](stage& s) -> outcome {
    s.cluster().mend_lock();
    return {};
  };
}

}  // namespace

std::vector<verb> lock_verbs() {
  return {{.name = "lock",
           .group = "Faults",
           .arguments = "lost | stolen | taken | stale for DURATION | wedged on NODES | unreachable on NODES | good",
           .summary = "the cluster lock (`cluster lock=yes`): its holder loses it; others can take it and its holder finds out three seconds later; a "
                      "stranger has it; it stays taken for a while when its holder has died or let go; taking and giving it back "
                      "hangs on some nodes, or is an error; all is good again",
           .example = "lock stale for 20s",
           .read = read_lock}};
}

}  // namespace floe::cli::drill
