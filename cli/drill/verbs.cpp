#include <fmt/format.h>

#include "cli/drill/stage.hpp"
#include "cli/drill/verb/all.hpp"

namespace floe::cli::drill {

const std::vector<verb>& all_verbs() {
  static const std::vector<verb> all = [] {
    std::vector<verb> made;
    for (const auto part : {cluster_verbs, data_verbs, workload_verbs, client_verbs, process_verbs, operator_verbs,
                            admin_verbs, network_verbs, disk_verbs, lock_verbs, recovery_verbs, waiting_verbs, promise_verbs,
                            flow_verbs})
      for (auto& v : part()) made.push_back(v);
    return made;
  }();
  return all;
}

action for_each_node(std::vector<node_ref> nodes, std::function<outcome(stage&, std::size_t)> what) {
  return [nodes = std::move(nodes), what = std::move(what)](stage& s) -> outcome {
    for (const auto& ref : nodes) {
      const auto n = ref(s);
      if (!n) return failed_because(n.error());
      if (auto done = what(s, *n); !done) return done;
    }
    return {};
  };
}

}  // namespace floe::cli::drill
