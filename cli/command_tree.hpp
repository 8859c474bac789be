#pragma once
/// Every command with what it takes, as data: `floe help --json`. The manual page floe(1) and the completion of shells are
/// made from it (cli/man/), so that they say what `--help` says.
#include <array>

#include "cli/command.hpp"

namespace floe::cli {

/// Options that every command takes.
inline constexpr std::array global_flags = std::to_array<option>({
    {"--base", "DIR", "directory of the node to talk to (or CTDB_BASE in the environment)"},
    {"--socket", "PATH", "its socket, if not DIR/run/ctdbd.socket"},
    {"-n,--node", "PNN", "the node asked for: a number, several (0,2), or all"},
    {"-t,--timeout", "DURATION",
     "how long to wait for an answer (10s; 2m where a recovery may be waited for)"},
    {"--json", nullptr, "the answer as one JSON object"},
    {"-X", nullptr,
     "status, nodestatus, listnodes, getdbmap, getcapabilities, statistics, stats: in rows, as "
     "CTDB's tool writes them"},
    {"-Y", nullptr, "the same"},
    {"-x,--separator", "CHAR", "between the fields of -X, instead of |"},
});

inline constexpr const char* program_summary =
    "floe: nodes of a clustered database that recovers each database by itself. Speaks CTDB's "
    "protocol.";
inline constexpr const char* exit_codes =
    "Exit status: 0 done, 1 failed, 2 wrong use, 3 no node reachable, 4 the answer is no, 5 timed "
    "out.";

/// Prints it.
int print_command_tree();
/// What `floe explain` knows, a name a line: `floe help --names`, for completion.
int print_names();

}  // namespace floe::cli
