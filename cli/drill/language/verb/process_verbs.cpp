/// What happens to the process of a node.
#include <fmt/format.h>

#include "cli/drill/language/verb/all.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "cli/drill/run/resolve_nodes.hpp"

namespace floe::cli::drill {
std::vector<verb> process_verbs() {
  return {
      {.name = "kill",
       .group = "Faults",
       .arguments = "NODES",
       .summary = "end the process at once (SIGKILL)",
       .example = "kill leader",
       .read =
           [](line_parser& w) {
             return for_each_node(w.nodes(), [](drill_run& s, std::size_t n) { return s.kill(n); });
           },
       .fault = {.ends = fault_end::node_runs},
       .uses = {"kill {node>dead}"}},
      {.name = "start",
       .group = "Faults",
       .arguments = "NODES",
       .summary = "start a node that does not run",
       .example = "start 1",
       .read =
           [](line_parser& w) {
             return for_each_node(w.nodes(),
                                  [](drill_run& s, std::size_t n) { return s.start(n); });
           },
       .fault = {.ends = fault_end::ends_others},
       .uses = {"start {-dead}"}},
      {.name = "shutdown",
       .group = "Faults",
       .arguments = "NODES",
       .summary = "let a node take itself down (SIGTERM)",
       .example = "shutdown 2",
       .read =
           [](line_parser& w) {
             return for_each_node(w.nodes(),
                                  [](drill_run& s, std::size_t n) { return s.shut_down(n); });
           },
       .fault = {.ends = fault_end::node_runs},
       .uses = {"shutdown {node>dead}"}},
      {.name = "restart",
       .group = "Faults",
       .arguments = "NODES",
       .summary = "shut a node down, if it runs, and start it",
       .example = "restart it",
       .read =
           [](line_parser& w) {
             return for_each_node(w.nodes(), [](drill_run& s, std::size_t n) -> outcome {
               if (s.cluster().alive(n))
                 if (auto done = s.shut_down(n); !done) return done;
               return s.start(n);
             });
           },
       .fault = {.ends = fault_end::node_runs},
       .uses = {"restart {node}"}},
      {.name = "pause",
       .group = "Faults",
       .arguments = "NODES",
       .summary = "stop the process where it is (SIGSTOP); its connections stay open",
       .example = "pause 0",
       .read =
           [](line_parser& w) {
             return for_each_node(w.nodes(),
                                  [](drill_run& s, std::size_t n) { return s.pause(n); });
           },
       .fault = {.ends = fault_end::node_goes_on},
       .uses = {"pause {node>paused}"}},
      {.name = "resume",
       .group = "Faults",
       .arguments = "NODES",
       .summary = "let a paused process go on (SIGCONT)",
       .example = "resume it",
       .read =
           [](line_parser& w) {
             return for_each_node(w.nodes(),
                                  [](drill_run& s, std::size_t n) { return s.resume(n); });
           },
       .fault = {.ends = fault_end::ends_others},
       .uses = {"resume {-paused}"}},
      {.name = "clock",
       .group = "Faults",
       .arguments = "NODE ahead|behind DURATION",
       .summary = "set a node's clock on the wall wrong",
       .example = "clock 1 behind 10m",
       .read = [](line_parser& w) -> action {
         w.needs(ability::clock_skew);
         auto node = w.node();
         const bool behind = w.take("behind");
         if (!behind) w.expect("ahead");
         const auto d = behind ? -w.time() : w.time();
         return for_each_node({std::move(node)}, [d](drill_run& s, std::size_t n) -> outcome {
           s.cluster().set_skew(n, d);
           return {};
         });
       },
       .fault = {.ends = fault_end::undone},
       .uses = {"clock {node} behind {time}", "clock {node} ahead {time}"}},
  };
}

}  // namespace floe::cli::drill
