/// Nobody is banned for another's fault: in a drill nodes are banned by the script or not at all. A
/// script that wants to see a ban says so (`allow bans`).
#include <fmt/format.h>

#include "cli/drill/checker/checker.hpp"

namespace floe::cli::drill {

checker undeserved_bans_checker() {
  return {
      "no undeserved ban", "no node is banned but by the drill, or for a bad disk of its own",
      [](const history&, const observations& s) {
        std::vector<finding> all;
        for (const auto& b : s.bans)
          if (!b.by_script)
            all.push_back({true, fmt::format("node {} at {}: {}", b.node, at_text(b.at), b.line)});
        return all;
      }};
}

}  // namespace floe::cli::drill
