#pragma once
/// A command of the program as data: what it is called, what it takes, and the function that runs
/// it. main.cpp turns these into the command line parser, so that no command includes that.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_code.hpp"

namespace floe::cli {

class context;

/// What was given on the command line for one command.
class arguments {
 public:
  bool has(std::string_view name) const { return values_.contains(name); }
  /// The first value; empty if there is none.
  const std::string& operator[](std::string_view name) const {
    static const std::string nothing;
    const auto i = values_.find(name);
    return i == values_.end() || i->second.empty() ? nothing : i->second.front();
  }
  /// All of them.
  std::vector<std::string> all(std::string_view name) const {
    const auto i = values_.find(name);
    return i == values_.end() ? std::vector<std::string>() : i->second;
  }
  void set(const std::string& name, std::vector<std::string> v) { values_[name] = std::move(v); }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

struct positional {
  const char* name;
  const char* help;
  bool required = true;
  bool many = false;  ///< takes all that follow
};
struct option {
  const char*
      name;  ///< "--for"; its value is found under this name; "-v,--verbose" has a letter, too
  const char* value;  ///< what the value is called, null: a flag
  const char* help;
};

using run_function = int (*)(context&, const arguments&);

struct command {
  const char* name;
  const char* group;  ///< heading in the list of commands
  const char* summary;
  const char* example;  ///< a line or more, shown below the help
  std::vector<positional> positionals{};
  std::vector<option> options{};
  run_function run = nullptr;
  std::vector<command> subcommands{};  ///< if not empty: one of them must follow
};

/// All of them, in the order of the help.
std::vector<command> all_commands();

}  // namespace floe::cli
