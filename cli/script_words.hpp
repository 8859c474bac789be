#pragma once
/// Splits a line into words, as a shell would: blanks between words, '...' and "..." around words
/// that have blanks in them. A '#' in front begins a comment.
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace floe::cli {
std::expected<std::vector<std::string>, std::string> split_words(std::string_view line);
}  // namespace floe::cli
