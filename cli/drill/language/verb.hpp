#pragma once
/// A verb of the drill language as data. To add one: a row in the file of its matter in verb/, with the function that reads
/// its line. Help, errors and the hunter's use of it follow from the row. (A new matter: a file, in verb/all.hpp, verbs.cpp
/// and meson.build.)
#include <expected>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cli/drill/language/line_parser.hpp"

namespace floe::cli::drill {

class drill_run;

/// Nothing, or why the drill has failed.
using outcome = std::expected<void, std::string>;
using action = std::function<outcome(drill_run&)>;
/// Whether it holds; if not, what is instead.
using test = std::function<outcome(drill_run&)>;

struct verb {
  enum class kind : std::uint8_t {
    plain,
    cluster,  ///< the first line
    repeat,   ///< opens a block
    one_of,   ///< opens a block
    either,   ///< between the choices of one_of
    end,      ///< of a block
    attempt,  ///< stands before another verb
  };
  const char* name;
  const char* group;
  const char* arguments;
  const char* summary;
  const char* example;
  action (*read)(line_parser&) = nullptr;  ///< plain ones
  kind is = kind::plain;
  bool of_client = false;  ///< stands behind the name of a client
  /// What a random use of it looks like, in drills that the program writes by itself; none: it has no place there.
  /// Words in braces are filled in (hunt/pattern.hpp).
  std::vector<const char*> uses{};
};

/// One of a group that is read alike.
inline verb plain_verb(const char* group, const char* name, const char* arguments,
                       const char* summary, const char* example, action (*read)(line_parser&),
                       std::vector<const char*> uses) {
  return {.name = name,
          .group = group,
          .arguments = arguments,
          .summary = summary,
          .example = example,
          .read = read,
          .uses = std::move(uses)};
}

/// What can be waited for and expected.
struct condition {
  const char* form;
  const char* summary;
  const char* example;
};

const std::vector<verb>& all_verbs();
const std::vector<condition>& all_conditions();
/// Reads a condition to the end of the line.
test read_condition(line_parser&);

inline outcome failed_because(std::string why) { return std::unexpected(std::move(why)); }

}  // namespace floe::cli::drill
