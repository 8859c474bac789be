#pragma once
/// The options of `floe drill run` that say on what drills are played, and what follows from them.
#include <expected>
#include <string>
#include <vector>

#include "cli/command/drill/run_options.hpp"
#include "cli/context.hpp"
#include "cli/drill/language/impossible_lines.hpp"
#include "protocol/wire/json.hpp"

namespace floe::cli::drill {

struct left_out_line {
  std::string drill;
  impossible_line line;
};
using left_out_lines = std::vector<left_out_line>;

/// The error is one line.
std::expected<testbed_choice, std::string> read_testbed_choice(const arguments&);

/// Looks what can be done here before anything is played. `done`; or the exit code, when the user has
/// been told what cannot be done. With --skip-impossible those lines are taken out of the drills.
int leave_out_impossible(context&, run_options&, left_out_lines&);
void put_left_out(wire::json_writer&, const left_out_lines&);

}  // namespace floe::cli::drill
