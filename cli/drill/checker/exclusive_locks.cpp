/// A record lock has one holder at a time. A holder on a node that was harmed has lost the lock with
/// it, even if nobody could tell it; and a node that is cut off grants locks on its own.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/drill/checker/checker.hpp"

namespace floe::cli::drill {

checker exclusive_locks_checker() {
  return {"exclusive locks", "every lock has one holder at a time",
          [](const history& h, const observations&) {
            std::vector<finding> all;
            std::map<std::pair<std::string, std::string>, std::vector<holding>> by_key;
            for (const auto& [lock, held] : h.holdings)
              by_key[{h.ops[lock].db, h.ops[lock].key}].push_back(held);
            for (auto& [key, holds] : by_key) {
              std::ranges::sort(holds, {}, &holding::from);
              for (std::size_t i = 1; i < holds.size(); ++i) {
                const auto &a = holds[i - 1], &b = holds[i];
                if (b.from >= a.to) continue;
                const auto &first = h.ops[a.lock], &second = h.ops[b.lock];
                const auto* why = h.harmed(first.node, a.from, b.from);
                if (!why && h.in_the_dark(second.node, second.begin, b.from))
                  why = h.harmed(second.node, second.begin, b.from);
                all.push_back(
                    {!why,
                     fmt::format("{}: {} on node {} had the lock from {}, {} on node {} from {}",
                                 record_text(first), first.client, first.node, at_text(a.from),
                                 second.client, second.node, at_text(b.from)),
                     why ? cause_text(*why) : std::string()});
              }
            }
            return all;
          }};
}

}  // namespace floe::cli::drill
