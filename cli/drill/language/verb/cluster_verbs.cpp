#include <fmt/format.h>

#include "cli/drill/language/verb/all.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "cli/drill/run/resolve_nodes.hpp"

namespace floe::cli::drill {

std::vector<verb> cluster_verbs() {
  return {
      {.name = "cluster",
       .group = "Setting",
       .arguments = "[nodes=N] [seed=N] [lock=yes] [quorum=majority] [freeze=all] [bound=DURATION] "
                    "[TUNABLE=N ...]",
       .summary = "how many nodes there are (3), the seed if none is given, whether they have a "
                  "cluster lock (no), which part of a cut cluster goes on (lock, none or "
                  "majority), whether recoveries freeze all databases before any recovers, as "
                  "CTDB's did before 2015 (no), how soon after the last fault the cluster must "
                  "be NORMAL (60s), and settings of all nodes",
       .example = "cluster nodes=5 KeepaliveInterval=1",
       .is = verb::kind::cluster},
      {.name = "let",
       .group = "Setting",
       .arguments = "NAME be NODE",
       .summary = "give a node a name: who is the leader changes, who was does not",
       .example = "let victim be leader",
       .read = [](line_parser& w) -> action {
         const auto name = w.word("a name");
         if (is_node_word(name))
           w.fail(fmt::format("`{}` means something already: give the node another name", name));
         w.expect("be");
         auto node = w.node();
         w.names.node_names.push_back(name);
         return [name, node = std::move(node)](drill_run& s) -> outcome {
           const auto n = resolve(s, node);
           if (!n) return failed_because(n.error());
           s.named_nodes[name] = *n;
           return {};
         };
       },
       .uses = {"let {+named} be {role}"}}};
}

}  // namespace floe::cli::drill
