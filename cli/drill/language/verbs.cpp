#include "cli/drill/language/verb/all.hpp"

namespace floe::cli::drill {

const std::vector<verb>& all_verbs() {
  static const std::vector<verb> all = [] {
    std::vector<verb> made;
    for (const auto part : {cluster_verbs, data_verbs, workload_verbs, client_verbs, process_verbs,
                            operator_verbs, admin_verbs, network_verbs, disk_verbs, lock_verbs,
                            recovery_verbs, waiting_verbs, promise_verbs, flow_verbs})
      for (auto& v : part()) made.push_back(v);
    return made;
  }();
  return all;
}

}  // namespace floe::cli::drill
