#pragma once
/// When databases were not available in a run: tables for people, lists for programs.
#include "cli/drill/run/play.hpp"
#include "protocol/wire/json.hpp"

namespace floe::cli::drill {

/// Two tables, the worst first: each database, and what each fault has cost. Nothing if all were
/// available all the time.
void print_unavailable(const verdict&);
void put_unavailable(wire::json_writer&, const verdict&);

}  // namespace floe::cli::drill
