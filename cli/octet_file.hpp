#pragma once
/// Whole files of octets, for values that are given and printed as files; "-" is standard input or
/// output.
#include <expected>
#include <string>

#include "protocol/bytes.hpp"

namespace floe::cli {

/// Errors are one line that names the file.
std::expected<bytes, std::string> read_file(const std::string& path);
std::expected<void, std::string> write_file(const std::string& path, byte_view content);

}  // namespace floe::cli
