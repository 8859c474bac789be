/// Recoveries, asked for and held.
#include <fmt/format.h>

#include "cli/drill/language/verb/all.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "cli/drill/run/resolve_nodes.hpp"
#include "protocol/types/basic.hpp"

namespace floe::cli::drill {

std::vector<verb> recovery_verbs() {
  return {
      {.name = "recover",
       .group = "Recovery",
       .arguments = "[on NODE]",
       .summary = "ask for a recovery; returns when it has been asked for",
       .example = "recover",
       .read = [](line_parser& w) -> action {
         if (w.take("on"))
           return for_each_node({w.node()}, [](drill_run& s, std::size_t n) {
             return s.order(n, control::set_recmode, encode_request<control::set_recmode>(recovery_mode::active));
           });
         return [](drill_run& s) -> outcome {
           for (std::size_t n = 0; n < s.cluster().size(); ++n)
             if (s.cluster().responsive(n))
               return s.order(n, control::set_recmode, encode_request<control::set_recmode>(recovery_mode::active));
           return failed_because("no node runs");
         };
       }},
      {.name = "hold",
       .group = "Recovery",
       .arguments = "PHASE[@DB]",
       .summary = "let the next recovery wait when it comes to this phase",
       .example = "hold push@locking.tdb",
       .read = [](line_parser& w) -> action {
         w.needs(ability::held_recoveries);
         const auto phase = w.word("a phase of a recovery");
         return [phase](drill_run& s) { return s.hold(phase); };
       }},
      {.name = "release",
       .group = "Recovery",
       .arguments = "",
       .summary = "let recoveries go on",
       .example = "release",
       .read = [](line_parser& w) -> action {
         w.needs(ability::held_recoveries);
         return [](drill_run& s) { return s.hold({}); };
       }},
  };
}

}  // namespace floe::cli::drill
