#pragma once
/// The parts of `floe drill`: a file for each matter, put together by drill.cpp.
#include <expected>
#include <string>
#include <string_view>

#include "cli/command.hpp"
#include "cli/context.hpp"
#include "cli/drill/language/script.hpp"
#include "cli/drill/language/shipped_drills.hpp"

namespace floe::cli::drill {

const shipped_drill* find_shipped(std::string_view name);
/// A shipped drill by its name, or a file.
std::expected<script, std::string> load(const std::string& name);

/// Prints the mistakes of a script, or whatever keeps it from being played, a line each.
exit_code print_mistakes(std::string_view command, const std::string& mistakes);

command run_command();
command list_command();
command show_command();
command check_command();
command compare_command();
command shrink_command();
command hunt_command();
command help_command();

}  // namespace floe::cli::drill
