/// Recoveries, asked for and held.
#include <fmt/format.h>

#include "cli/drill/stage.hpp"
#include "cli/drill/verb/all.hpp"
#include "protocol/types/basic.hpp"

namespace floe::cli::drill {

std::vector<verb> recovery_verbs() {
  return {
      {.name = "recover",
       .group = "Recovery",
       .arguments = "[on NODE]",
       .summary = "ask for a recovery; returns when it has been asked for",
       .example = "recover",
       .read = [](words& w) -> action {
         if (w.take("on"))
           return for_each_node({w.node()}, [](stage& s, std::size_t n) {
             return s.order(n, control::set_recmode, encode_request<control::set_recmode>(recovery_mode::active));
           });
         return [](stage& s) -> outcome {
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
       .read = [](words& w) -> action {
         w.needs(ability::held_recoveries);
         const auto phase = w.word("a phase of a recovery");
         return [phase](stage& s) { return s.hold(phase); };
       }},
      {.name = "release",
       .group = "Recovery",
       .arguments = "",
       .summary = "let recoveries go on",
       .example = "release",
       .read = [](words& w) -> action {
         w.needs(ability::held_recoveries);
         return [](stage& s) { return s.hold({}); };
       }},
  };
}

}  // namespace floe::cli::drill
