#pragma once
/// Starts a program beside this one: in a process group of its own, so that it can be ended with all that it starts, and
/// without the signals that a node blocks or ignores.
#include <sys/types.h>

#include <expected>
#include <string>
#include <vector>

namespace floe {

/// What else the child gets; a descriptor below zero: nothing of the kind.
struct apart {
  int input = -1;            ///< its standard input; nothing: /dev/null
  int output = -1;           ///< its standard output; nothing: ours
  bool errors_too = false;   ///< its standard error is `output`, too
  bool own_session = false;  ///< not only a process group: no terminal ends it
};

/// `arguments`: at least the program's path, which stands first. Error: the system's number.
std::expected<pid_t, int> spawn_apart(std::vector<std::string> arguments, apart how = {});

}  // namespace floe
