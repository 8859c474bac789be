#pragma once
/// A node's directory, laid out as CTDB_BASE is for ctdbd:
///
///     DIR/ctdb.conf       settings; need not exist
///     DIR/nodes           one address per line; the line's place is the node's number; '#' in
///     front: deleted, the number
///                         stays taken
///     DIR/ctdb.tunables   NAME=VALUE lines; need not exist (DIR/tunables is read if it does not)
///     DIR/run/            socket and pid file
///     DIR/db/             volatile/, persistent/, state/
///     DIR/log.ctdb        the log, if ctdb.conf names no other
///
/// Files are read as ctdbd reads them; what it would ignore silently is an error here. Settings of
/// ctdbd that mean nothing to floe are accepted with a warning.
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "actors/log.hpp"
#include "actors/node/node_config.hpp"

namespace floe::cli {

struct node_setup {
  node_config config;
  std::string log_file;  ///< empty: standard error
  log_level level = log_level::notice;
  std::string pid_file;
  std::vector<std::string> warnings;
};

/// Reads everything; makes the directories that are missing. The errors are all that were found,
/// one line each, with file and line.
std::expected<node_setup, std::vector<std::string>> read_node_directory(const std::string& base);

/// The parts, for tests. Errors and warnings are "line N: ...".
struct parsed_settings {
  node_setup setup;
  std::string node_address;           ///< empty: to be found by trying
  std::optional<std::uint16_t> port;  ///< unset: what the machine calls the service `ctdb`
  std::vector<std::string> errors;
};
parsed_settings apply_settings(std::string_view text, const std::string& base);
std::expected<std::vector<configured_node>, std::string> parse_nodes(std::string_view text,
                                                                     std::uint16_t port);
std::vector<std::string> apply_tunables(std::string_view text, tunable_list& to);

}  // namespace floe::cli
