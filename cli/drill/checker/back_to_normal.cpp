/// After the last fault the cluster comes to rest.
#include "cli/drill/checker/checker.hpp"

namespace floe::cli::drill {

checker back_to_normal_checker() {
  return {"back to normal", "after the last fault the cluster is NORMAL within a bound",
          [](const history&, const observations& s) {
            std::vector<finding> all;
            if (!s.at_rest) all.push_back({true, s.unrest});
            return all;
          }};
}

}  // namespace floe::cli::drill
