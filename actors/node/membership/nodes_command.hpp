#pragma once
/// `nodes list = !COMMAND` (since CTDB 4.21): the list of nodes is what a command prints. It is run by /bin/sh when a node
/// starts and whenever the list is read again, in a process group of its own, with nothing on its standard input.
#include <expected>
#include <string>
#include <string_view>

namespace floe {

/// Does this setting name a command and not a file?
constexpr bool is_nodes_command(std::string_view setting) { return setting.starts_with('!'); }

/// What it prints. Blocks for up to ten seconds, then the command is killed. Error: it cannot be run, does not end in time,
/// ends otherwise than with 0, or prints more than a list of nodes can have.
std::expected<std::string, std::string> output_of_nodes_command(const std::string& setting);

}  // namespace floe
