#pragma once
/// Everything a node reads before it starts: settings, addresses, tunables, from the places of places.hpp. Files are read
/// as ctdbd reads them; what it would ignore silently is an error here. Settings of ctdbd that mean nothing to floe are
/// accepted with a warning.
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/log_target.hpp"
#include "actors/node/node_config.hpp"
#include "cli/config/places.hpp"
#include "cli/metrics/listen_place.hpp"

namespace floe::cli {

struct node_setup {
  node_config config;
  log_target log;
  std::int32_t level = 3;  ///< of the log: CTDB's debug level, 0 (ERROR) to 10 (DEBUG)
  std::string pid_file;
  std::string notify_dir;  ///< of scripts that are told what becomes of the node; need not be there
  std::optional<listen_place> metrics;  ///< where they are served; nothing: nowhere
  std::vector<std::string> warnings;
};

/// Reads everything and makes the usual directories if they are missing; a directory that was configured must be there.
/// The errors are all that were found, one line each, with file and line. An empty base: the places of the distribution.
std::expected<node_setup, std::vector<std::string>> read_node_directory(const std::string& base);

/// The same, and nothing is made: for those who only want to know.
std::expected<node_setup, std::vector<std::string>> check_node_directory(const std::string& base);

/// A setting of ctdb.conf, for the manual.
struct setting_info {
  std::string_view section, name;
  std::string_view form;   ///< what its value looks like
  std::string_view usual;  ///< its default, with the places of a distribution; empty: none
  std::string_view meaning;
  const char* idle;  ///< why it does nothing here; null: it does something
};
/// All that are known: every one of CTDB 4.17, and floe's own.
std::vector<setting_info> all_settings();

/// The parts, for tests. Errors and warnings are "line N: ...".
struct parsed_settings {
  node_setup setup;
  std::string node_address;           ///< empty: to be found by trying
  std::optional<std::uint16_t> port;  ///< unset: what the machine calls the service `ctdb`
  bool lock_asked_for = false;        ///< by `quorum = lock`
  std::vector<std::string> errors;
};
parsed_settings default_settings(const node_places&);
/// What the text says replaces what was there.
void apply_settings(std::string_view text, parsed_settings&);
parsed_settings apply_settings(std::string_view text, const node_places&);
std::vector<std::string> apply_tunables(std::string_view text, tunable_list& to);

}  // namespace floe::cli
