#pragma once
/// floe drill hunt --against: drills of a folder, played by this program and by another build.
#include <cstddef>
#include <string>

#include "cli/context.hpp"

namespace floe::cli::drill {

/// Prints what each has made of every *.drill of the folder; `says_no` if they differ in one.
int play_against(context&, const std::string& folder, const std::string& program, std::size_t jobs);

}  // namespace floe::cli::drill
