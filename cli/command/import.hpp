#pragma once
/// floe import, floe export.
#include <vector>

#include "cli/command.hpp"

namespace floe::cli {
std::vector<command> import_commands();
}
