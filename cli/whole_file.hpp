#pragma once
/// Files that are written whole or not at all: the text goes to a file beside it, which takes its
/// name at the end. What is no regular file (a pipe, a terminal) is written directly. Errors are
/// one line: "out.html cannot be written: Permission denied".
#include <expected>
#include <string>
#include <string_view>

namespace floe::cli {

/// Asked before the work begins whose result it is to hold.
std::expected<void, std::string> can_be_written(const std::string& path);
std::expected<void, std::string> write_whole(const std::string& path, std::string_view text);

}  // namespace floe::cli
