/// Repetition and chance. What they do is in play.cpp.
#include "cli/drill/language/verb/all.hpp"

namespace floe::cli::drill {

std::vector<verb> flow_verbs() {
  return {
      {.name = "repeat",
       .group = "Flow",
       .arguments = "N",
       .summary = "do the lines up to `end` so many times",
       .example = "repeat 10",
       .is = verb::kind::repeat},
      {.name = "one",
       .group = "Flow",
       .arguments = "of",
       .summary = "do one of the choices up to `end`, which `or` separates; the seed decides",
       .example = "one of",
       .is = verb::kind::one_of},
      {.name = "or",
       .group = "Flow",
       .arguments = "",
       .summary = "the next choice",
       .example = "or",
       .is = verb::kind::either},
      {.name = "end",
       .group = "Flow",
       .arguments = "",
       .summary = "of a block",
       .example = "end",
       .is = verb::kind::end},
      {.name = "try",
       .group = "Flow",
       .arguments = "VERB ...",
       .summary = "do it if it can be done: the drill does not fail where it cannot, as a node "
                  "that does not run cannot be killed",
       .example = "try kill 1",
       .is = verb::kind::attempt},
  };
}

}  // namespace floe::cli::drill
