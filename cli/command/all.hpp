#pragma once
/// One function for each row of commands.def; each is in the file of its name, or in the one that the row tells.
#include "cli/command.hpp"

namespace floe::cli {

#define FLOE_COMMAND(name) command name##_command();
#define FLOE_COMMANDS(matter) std::vector<command> matter##_commands();
#include "cli/command/commands.def"
#undef FLOE_COMMAND
#undef FLOE_COMMANDS

}  // namespace floe::cli
