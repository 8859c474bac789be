/// What happens to the process of a node.
#include <fmt/format.h>

#include "cli/drill/language/verb/all.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "cli/drill/run/resolve_nodes.hpp"

namespace floe::cli::drill {
namespace {

verb on_processes(const char* name, const char* summary, const char* example,
                  action (*read)(line_parser&), std::vector<const char*> uses) {
  return plain_verb("Faults", name, "NODES", summary, example, read, std::move(uses));
}

}  // namespace

std::vector<verb> process_verbs() {
  return {
      on_processes("kill", "end the process at once (SIGKILL)", "kill leader",
                   [](line_parser& w) {
                     return for_each_node(w.nodes(),
                                          [](drill_run& s, std::size_t n) { return s.kill(n); });
                   },
                   {"kill {node>dead}"}),
      on_processes("start", "start a node that does not run", "start 1",
                   [](line_parser& w) {
                     return for_each_node(w.nodes(),
                                          [](drill_run& s, std::size_t n) { return s.start(n); });
                   },
                   {"start {-dead}"}),
      on_processes("shutdown", "let a node take itself down (SIGTERM)", "shutdown 2",
                   [](line_parser& w) {
                     return for_each_node(
                         w.nodes(), [](drill_run& s, std::size_t n) { return s.shut_down(n); });
                   },
                   {"shutdown {node>dead}"}),
      on_processes("restart", "shut a node down, if it runs, and start it", "restart it",
                   [](line_parser& w) {
                     return for_each_node(w.nodes(), [](drill_run& s, std::size_t n) -> outcome {
                       if (s.cluster().alive(n))
                         if (auto done = s.shut_down(n); !done) return done;
                       return s.start(n);
                     });
                   },
                   {"restart {node}"}),
      on_processes(
          "pause", "stop the process where it is (SIGSTOP); its connections stay open", "pause 0",
          [](line_parser& w) {
            return for_each_node(w.nodes(), [](drill_run& s, std::size_t n) { return s.pause(n); });
          },
          {"pause {node>paused}"}),
      on_processes("resume", "let a paused process go on (SIGCONT)", "resume it",
                   [](line_parser& w) {
                     return for_each_node(w.nodes(),
                                          [](drill_run& s, std::size_t n) { return s.resume(n); });
                   },
                   {"resume {-paused}"}),
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
       .uses = {"clock {node} behind {time}", "clock {node} ahead {time}"}},
  };
}

}  // namespace floe::cli::drill
