/// Whoever is refused waits before he asks again. (CTDB once spun over records whose node had gone.)
#include "cli/drill/checker/checker.hpp"

namespace floe::cli::drill {

checker no_spinning_checker() {
  return {"no spinning", "a request that fails is not sent again at once, and again",
          [](const history&, const observations& s) {
            std::vector<finding> all;
            for (const auto& text : s.spins) all.push_back({true, text});
            return all;
          }};
}

}  // namespace floe::cli::drill
