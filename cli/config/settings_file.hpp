#pragma once
/// Reads files of the form of Samba's ctdb.conf: sections in brackets, `name = value` lines, comments on lines of their
/// own that begin with '#' or ';', a backslash at the end of a line that goes on. As ctdbd reads them (Samba
/// lib/util/tini.c, ctdb/common/conf.c): indentation means nothing, several blanks count as one (the first of them), a
/// section's name ignores case and ends at the first ']', a setting's name does not ignore case, nothing inside a value
/// begins a comment, and a value may not be empty.
///
/// What ctdbd skips in silence (a line without '='; what stands behind a section's name and is no comment; a section that
/// is not closed, or a value without a name, after which it reads nothing more) is an error here, which says so.
#include <string>
#include <string_view>
#include <vector>

namespace floe::cli {

/// A line as ctdbd sees it: those that follow a backslash joined, several blanks as one, no comments.
struct config_line {
  std::string text;
  int number = 0;  ///< where it begins, from 1
};
std::vector<config_line> read_config_lines(std::string_view text);

struct setting {
  std::string section;  ///< in small letters
  std::string name;     ///< as written
  std::string value;
  int line = 0;  ///< where it begins, from 1
};
struct section_head {
  std::string name;  ///< in small letters
  int line = 0;
};
struct settings_text {
  std::vector<section_head> sections;
  std::vector<setting> settings;
  std::vector<std::string>
      errors;  ///< "line N: what is wrong"; what else stands there is read all the same
};
settings_text read_settings(std::string_view text);

/// What of a file is repeated in a message: its beginning, if it is long.
std::string excerpt(std::string_view text);

}  // namespace floe::cli
