/// After a recovery all participants have the same records, to the last header.
#include "cli/drill/checker/checker.hpp"

namespace floe::cli::drill {

checker equal_contents_checker() {
  return {"equal contents",
          "after each recovery among floe's nodes all of them have the same records",
          [](const history&, const observations& s) {
            std::vector<finding> all;
            for (const auto& d : s.differences) all.push_back({true, d});
            return all;
          }};
}

}  // namespace floe::cli::drill
