/// What an operator does to a node.
#include "cli/drill/language/verb/all.hpp"
#include "cli/drill/run/drill_run.hpp"
#include "cli/drill/run/resolve_nodes.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/membership.hpp"

namespace floe::cli::drill {
namespace {

outcome set_ban(drill_run& s, std::size_t n, std::uint64_t seconds) {
  return s.order(
      n, control::set_ban_state,
      encode_request<control::set_ban_state>({.pnn = pnn{static_cast<std::uint32_t>(n)},
                                              .time = static_cast<std::uint32_t>(seconds)}));
}

action read_ban(line_parser& w) {
  auto nodes = w.nodes();
  w.expect("for");
  const auto seconds =
      static_cast<std::uint64_t>(std::max<std::int64_t>(1, w.time() / std::chrono::seconds(1)));
  return for_each_node(std::move(nodes), [seconds](drill_run& s, std::size_t n) {
    s.disturb(n, "banned", fault_kind::out);
    s.past.disturbances.back().orderly = true;
    s.banned_nodes.insert(n);
    return set_ban(s, n, seconds);
  });
}

}  // namespace

std::vector<verb> operator_verbs() {
  return {
      {.name = "stop",
       .group = "Operators",
       .arguments = "NODES",
       .summary = "take nodes out of the cluster (they go on running)",
       .example = "stop 2",
       .read =
           [](line_parser& w) {
             return for_each_node(w.nodes(), [](drill_run& s, std::size_t n) {
               s.disturb(n, "stopped", fault_kind::out);
               s.past.disturbances.back().orderly = true;
               s.stopped_nodes.insert(n);
               return s.order(n, control::stop_node, {});
             });
           },
       .fault = {.ends = fault_end::undone},
       .uses = {"stop {node>stopped}"}},
      {.name = "continue",
       .group = "Operators",
       .arguments = "NODES",
       .summary = "let stopped nodes back in",
       .example = "continue 2",
       .read =
           [](line_parser& w) {
             return for_each_node(w.nodes(), [](drill_run& s, std::size_t n) {
               const auto done = s.order(n, control::continue_node, {});
               if (!done) return done;  // at the end it is told again
               s.stopped_nodes.erase(n);
               s.past.cure(n, fault_kind::out, s.now());
               return done;
             });
           },
       .fault = {.undoes = "stop"},
       .uses = {"continue {-stopped}"}},
      {.name = "ban",
       .group = "Operators",
       .arguments = "NODES for DURATION",
       .summary = "take nodes out of the cluster for a while",
       .example = "ban 1 for 60s",
       .read = read_ban,
       .fault = {.ends = fault_end::undone},
       .uses = {"ban {node>banned} for {seconds}"}},
      {.name = "unban",
       .group = "Operators",
       .arguments = "NODES",
       .summary = "lift a ban",
       .example = "unban 1",
       .read =
           [](line_parser& w) {
             return for_each_node(w.nodes(), [](drill_run& s, std::size_t n) {
               const auto done = set_ban(s, n, 0);
               if (!done) return done;  // at the end it is told again
               s.banned_nodes.erase(n);
               s.past.cure(n, fault_kind::out, s.now());
               return done;
             });
           },
       .fault = {.undoes = "ban"},
       .uses = {"unban {-banned}"}},
  };
}

}  // namespace floe::cli::drill
