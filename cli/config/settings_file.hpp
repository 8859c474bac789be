#pragma once
/// Reads files of the form of Samba's ctdb.conf: sections in brackets, `name = value` lines,
/// comments on lines of their own that begin with '#' or ';'. Names ignore case, and blanks in them
/// count as one. Unlike what most readers of INI files do, indentation means nothing, lines may be
/// of any length, and nothing inside a value begins a comment: that is how ctdbd reads them (Samba
/// lib/util/tini.c).
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace floe::cli {

struct setting {
  std::string section;  ///< in small letters
  std::string name;     ///< in small letters
  std::string value;
  int line = 0;
};

/// The error is "line N: what is wrong".
std::expected<std::vector<setting>, std::string> read_settings(std::string_view text);

}  // namespace floe::cli
