#pragma once
/// Reads files of the form of Samba's ctdb.conf: sections in brackets, `name = value` lines, comments on lines of their
/// own that begin with '#' or ';', a backslash at the end of a line that goes on. As ctdbd reads them (Samba
/// lib/util/tini.c, ctdb/common/conf.c): indentation means nothing, several blanks count as one (the first of them), a
/// section's name ignores case and ends at the first ']', a setting's name does not ignore case, nothing inside a value
/// begins a comment, and a value may not be empty.
///
/// What ctdbd skips in silence (a line without '=', a section that is not closed, after which it reads nothing more) is
/// an error here.
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace floe::cli {

struct setting {
  std::string section;  ///< in small letters
  std::string name;     ///< as written
  std::string value;
  int line = 0;  ///< where it begins, from 1
};

/// The error is "line N: what is wrong".
std::expected<std::vector<setting>, std::string> read_settings(std::string_view text);

}  // namespace floe::cli
