/// Generations are moved by recoveries and by nothing else.
#include <fmt/format.h>

#include "cli/drill/checker/checker.hpp"

namespace floe::cli::drill {

checker generations_checker() {
  return {
      "generations by recovery", "the generation of a node changes only in a recovery",
      [](const history&, const observations& s) {
        std::vector<finding> all;
        for (const auto& g : s.generations)
          if (!g.in_recovery)
            all.push_back(
                {true, fmt::format("node {} went from generation {} to {} at {} without a recovery",
                                   g.node, g.before, g.after, at_text(g.at))});
        return all;
      }};
}

}  // namespace floe::cli::drill
