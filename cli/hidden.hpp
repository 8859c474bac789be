#pragma once
/// What the program runs itself as: helpers in processes of their own. They are no commands: nobody
/// but the node calls them, so no help lists them, and they start without the parser of the command
/// line.
#include <optional>
#include <string>
#include <vector>

namespace floe::cli {

/// The exit status, if the first word names a helper.
std::optional<int> run_hidden(int argc, char** argv);

/// The commands that come to lock_guard() and health_child().
std::vector<std::string> lock_guard_command();
std::vector<std::string> file_check_command();

}  // namespace floe::cli
