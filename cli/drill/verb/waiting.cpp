/// Waits and expectations.
#include <fmt/format.h>

#include "cli/drill/stage.hpp"
#include "cli/drill/verb/all.hpp"
#include "cli/output.hpp"

namespace floe::cli::drill {
namespace {

std::string limit_text(duration d) { return age_text(std::chrono::duration<double, std::milli>(d).count()); }

action read_within(words& w) {
  const auto limit = w.time();
  auto holds = read_condition(w);
  return [limit, holds = std::move(holds)](stage& s) -> outcome {
    outcome last;
    const auto mine = std::chrono::duration_cast<duration>(limit * s.patience);
    if (s.wait_until([&] { return (last = holds(s)).has_value(); }, mine)) return {};
    return failed_because(fmt::format("not within {}: {}", limit_text(mine), last.error()));
  };
}

}  // namespace

std::vector<verb> waiting_verbs() {
  return {
      {.name = "wait",
       .group = "Checks",
       .arguments = "DURATION",
       .summary = "let time pass",
       .example = "wait 500ms",
       .read = [](words& w) -> action {
         const auto d = w.time();
         return [d](stage& s) -> outcome {
           s.cluster().pass(d);
           return {};
         };
       }},
      {.name = "within",
       .group = "Checks",
       .arguments = "DURATION: CONDITION",
       .summary = "wait for a condition; the drill fails if it does not come true in time",
       .example = "within 2s: brlock.tdb thawed on all",
       .read = read_within},
      {.name = "expect",
       .group = "Checks",
       .arguments = "CONDITION",
       .summary = "the drill fails if the condition is not true now",
       .example = "expect locking.tdb freezing on 0",
       .read = [](words& w) -> action {
         auto holds = read_condition(w);
         return [holds = std::move(holds)](stage& s) -> outcome {
           s.look_around();
           return holds(s);
         };
       }},
  };
}

}  // namespace floe::cli::drill
