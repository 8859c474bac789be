#pragma once
/// One line of a drill's trace, taken apart: "    1.904649 node 0 INFO: lock-wait db=...". Whatever
/// follows a run (its record, the live view) reads it from the trace, so that simulated and real
/// runs are followed alike.
#include <cstdint>
#include <optional>
#include <string_view>

#include "cli/timeline/events.hpp"

namespace floe::cli::drill {

struct trace_line {
  std::int64_t t_us = 0;  ///< of the drill's own time
  std::string_view who;   ///< "drill", "node 0 INFO", "check", or a client
  std::string_view text;

  /// Of what a node logs.
  std::optional<std::uint32_t> node() const;
  /// What a node puts on its timeline (actors/events.def).
  std::optional<timed_event> event() const;
};

/// Nothing if it is no line of a trace. Points into the text.
std::optional<trace_line> read_trace_line(std::string_view);

/// "12: kill victim", as the drill says before it plays a line of the script; without its `try`.
struct played_statement {
  unsigned line = 0;
  std::string_view text;
};
std::optional<played_statement> read_played(const trace_line&);

/// "node 2 is killed", "node 2 starts": what the drill says it has done to a node.
struct done_to_node {
  std::uint32_t node = 0;
  std::string_view what;  ///< of run/said.hpp, or another
  bool suffered = false;  ///< "is killed": it was done to the node; not "starts", "goes on"
};
std::optional<done_to_node> read_done(const trace_line&);

}  // namespace floe::cli::drill
