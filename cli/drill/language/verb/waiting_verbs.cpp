/// Waits and expectations.
#include <fmt/format.h>

#include "cli/drill/language/verb/all.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "cli/output.hpp"

namespace floe::cli::drill {
namespace {

std::string limit_text(duration d) {
  return age_text(std::chrono::duration<double, std::milli>(d).count());
}

action read_within(line_parser& w) {
  const bool colon = w.peek().ends_with(':');
  const auto limit = w.time();
  if (!colon) w.fail("expected `:` behind the duration, as in `within 5s: normal`");
  auto holds = read_condition(w);
  return [limit, holds = std::move(holds)](drill_run& s) -> outcome {
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
       .read = [](line_parser& w) -> action {
         const auto d = w.time();
         return [d](drill_run& s) -> outcome {
           s.cluster().pass(d);
           return {};
         };
       },
       .uses = {"wait {time}", "wait {time}", "wait {time}"}},
      {.name = "within",
       .group = "Checks",
       .arguments = "DURATION: CONDITION",
       .summary = "wait for a condition; the drill fails if it does not come true in time",
       .example = "within 2s: brlock.tdb thawed on all",
       .read = read_within,
       .uses = {"within {seconds}: normal", "within {time}: held", "within {time}: active",
                "within {seconds}: node {number} disconnected",
                "within {time}: {volatile} frozen on {number}"}},
      {.name = "expect",
       .group = "Checks",
       .arguments = "CONDITION",
       .summary = "the drill fails if the condition is not true now",
       .example = "expect locking.tdb freezing on 0",
       .read = [](line_parser& w) -> action {
         auto holds = read_condition(w);
         return [holds = std::move(holds)](drill_run& s) -> outcome {
           s.poll_nodes();
           return holds(s);
         };
       }},
  };
}

}  // namespace floe::cli::drill
