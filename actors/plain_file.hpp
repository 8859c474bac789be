#pragma once
/// Reads the small text files that a node is configured by. A file that is there and cannot be used is an error, never
/// "no settings": a node that runs with defaults because a file had the wrong mode runs without its cluster lock.
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace floe {

/// The whole text; nothing if there is no such file. Error (without the path): it is no regular file (opening a FIFO
/// would wait for ever), it is a link to nowhere, it cannot be read, it is larger than `limit` bytes, it begins with a byte order mark, it holds a
/// NUL byte.
std::expected<std::optional<std::string>, std::string> read_plain_file(const std::string& path,
                                                                       std::size_t limit = 1 << 20);

/// What stands in a line of such a file, without blanks, tabs and carriage returns before and behind it.
std::string_view trimmed(std::string_view line);

}  // namespace floe
