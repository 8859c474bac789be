#pragma once
/// Starts a program beside the node: in a process group of its own, so that it can be ended with all that it starts, with
/// nothing on its standard input, and without the signals that the node blocks or ignores.
#include <sys/types.h>

#include <expected>
#include <string>
#include <vector>

namespace floe {

/// `arguments`: at least the program's path, which stands first. `output`: becomes its standard output; negative: it has the
/// node's. Error: the system's number.
std::expected<pid_t, int> spawn_apart(std::vector<std::string> arguments, int output = -1);

}  // namespace floe
