#pragma once
/// A rule script: a story told in the events of a machine, with what follows from each written below it.
///
///     # Why this file is there: the story, and what it guards.
///
///     freeze locks_held          <- a verb or an event, perhaps with more lines of input
///     ----
///     freezing: wait             <- what is expected, up to an empty line
///
/// Comments may stand between steps. The first line of a file has to be one.
#include <filesystem>
#include <string>
#include <vector>

namespace floe::rule_script {

struct step {
  std::size_t line = 0;            ///< of its command in the file, from 1
  std::vector<std::string> input;  ///< the command, then its body
  std::vector<std::string> expected;
};

/// What stands in a file: steps, and between them comments and empty lines.
struct script {
  struct part {
    std::vector<std::string> before;  ///< comments and empty lines
    step what;
  };
  std::vector<part> parts;
  std::vector<std::string> after;
};

/// Throws `mistake`, with the line, on what is no script.
script read_script(const std::filesystem::path&);

struct outcome {
  std::string differences;  ///< for people; empty if all is as expected
  std::string rewritten;    ///< the file as it would be with what happened now
};
outcome play(const std::filesystem::path&, const script&);

}  // namespace floe::rule_script
