#pragma once
/// The nodes file: one address per line, the line's place is the pnn. A line that starts with '#' is a deleted node:
/// its number stays taken. Empty lines at the end count for nothing.
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "actors/node/node_config.hpp"

namespace floe {

/// Error: one line that says which line is wrong and why.
std::expected<std::vector<configured_node>, std::string> parse_nodes(std::string_view text, std::uint16_t port);
std::expected<std::vector<configured_node>, std::string> read_nodes_file(const std::string& path, std::uint16_t port);

}  // namespace floe
