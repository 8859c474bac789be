#pragma once
/// The nodes file, as ctdbd reads it: one address per line; the number of the line among those that are not blank is the
/// pnn, counted from 0. A line that starts with '#' is a deleted node: its number stays taken.
///
/// Limits, against files that are something else: `most_nodes` lines, and addresses.
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "actors/node/node_config.hpp"

namespace floe {

inline constexpr std::size_t most_nodes = 4096;

/// Error: one line that says which line of the file (from 1) is wrong and why.
std::expected<std::vector<configured_node>, std::string> parse_nodes(std::string_view text,
                                                                     std::uint16_t port);
/// `path` may be a command, "!COMMAND" (nodes_command.hpp): then it blocks.
std::expected<std::vector<configured_node>, std::string> read_nodes_file(const std::string& path,
                                                                         std::uint16_t port);

}  // namespace floe
