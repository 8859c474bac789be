#pragma once
/// What is wrong with a command line that cannot be read, and what was probably meant: a look at its words beside the table of
/// commands, without the parser.
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"

namespace floe::cli {

/// "-v,--verbose" is found as "--verbose".
std::string key_of(const option&);

/// The command that was chosen, as far as the words say: "drill", "drill run"; empty and null: none was.
struct chosen_command {
  std::string path;
  const command* what = nullptr;
};

/// Where the first word is that is neither an option nor the value of one: what is meant to be a command. 0: there is none.
int place_of_command(int argc, char** argv);
/// Nothing if there is none of that name.
const command* command_named(const std::vector<command>&, std::string_view word);
/// That there is no such command, or no such part of one; empty: there is.
std::string misspelt_command(const std::vector<command>&, int argc, char** argv);
/// One sentence. `said` is what the parser has to say; an option or command that does not exist says more.
std::string what_is_wrong(const chosen_command&, std::string_view said, const std::vector<command>&,
                          int argc, char** argv);

}  // namespace floe::cli
