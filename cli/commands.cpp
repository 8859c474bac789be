#include "cli/command/all.hpp"

namespace floe::cli {

std::vector<command> all_commands() {
  std::vector<command> all;
#define FLOE_COMMAND(name) all.push_back(name##_command());
#define FLOE_COMMANDS(matter) \
  for (auto& c : matter##_commands()) all.push_back(std::move(c));
#include "cli/command/commands.def"
#undef FLOE_COMMAND
#undef FLOE_COMMANDS
  return all;
}

}  // namespace floe::cli
