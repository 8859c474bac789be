/// What a drill promises beyond what is always checked, and what it allows.
#include "cli/drill/language/verb/all.hpp"
#include "cli/drill/run/drill_run.hpp"

namespace floe::cli::drill {

std::vector<verb> promise_verbs() {
  return {
      {.name = "mark",
       .group = "Checks",
       .arguments = "",
       .summary =
           "conditions about durations, recoveries and logs look at what comes after this line",
       .example = "mark",
       .read = [](line_parser&) -> action {
         return [](drill_run& s) -> outcome {
           s.marked = s.now();
           return {};
         };
       }},
      {.name = "lossless",
       .group = "Checks",
       .arguments = "",
       .summary = "in this drill nothing explains the loss of an acknowledged write",
       .example = "lossless",
       .read = [](line_parser&) -> action {
         return [](drill_run& s) -> outcome {
           s.lossless = true;
           return {};
         };
       }},
      {.name = "allow",
       .group = "Checks",
       .arguments = "bans",
       .summary =
           "nodes may be banned by other nodes in this drill, which is a fault in all others",
       .example = "allow bans",
       .read = [](line_parser& w) -> action {
         w.expect("bans");
         return [](drill_run& s) -> outcome {
           s.bans_allowed = true;
           return {};
         };
       }},
  };
}

}  // namespace floe::cli::drill
