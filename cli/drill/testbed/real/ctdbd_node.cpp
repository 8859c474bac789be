#include "cli/drill/testbed/real/ctdbd_node.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace floe::cli::drill {
namespace {

namespace fs = std::filesystem;

/// The line of the cluster lock in the settings that the layout has written for a floe node: all nodes
/// share one. Empty: none.
std::string lock_line(const std::string& settings_file) {
  std::ifstream in(settings_file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("cluster lock = ")) return line + "\n";
  return {};
}

std::string settings_of(const local_cluster& c, std::uint32_t node) {
  const auto base = c.base(node);
  return fmt::format(
      "[logging]\nlocation = file:{0}/log.ctdb\nlog level = NOTICE\n"
      "[cluster]\nnode address = {1}\n{2}"
      "[database]\nvolatile database directory = {0}/db/volatile\n"
      "persistent database directory = {0}/db/persistent\nstate database directory = {0}/db/state\n"
      "[failover]\ndisabled = true\n",
      base, c.address(node), lock_line(base + "/ctdb.conf"));
}

}  // namespace

std::optional<std::string> find_ctdbd() {
  for (const auto* path : {"/usr/sbin/ctdbd", "/usr/local/sbin/ctdbd", "/sbin/ctdbd"})
    if (::access(path, X_OK) == 0) return path;
  return std::nullopt;
}

std::expected<void, std::string> prepare_ctdbd(
    const local_cluster& c, std::uint32_t node,
    const std::vector<std::pair<std::string, std::uint32_t>>& tunables) {
  const auto base = c.base(node);
  std::error_code problem;
  for (const auto* folder : {"/run", "/var", "/db/volatile", "/db/persistent", "/db/state",
                             "/events/legacy", "/events/notification"})
    fs::create_directories(base + folder, problem);
  std::string settings;
  for (const auto& [name, value] : tunables)
    if (!name.starts_with("Floe")) settings += fmt::format("{}={}\n", name, value);
  const std::map<std::string, std::string> files{{"/ctdb.conf", settings_of(c, node)},
                                                 {"/ctdb.tunables", settings},
                                                 {"/public_addresses", ""}};
  for (const auto& [name, text] : files) {
    std::ofstream out(base + name, std::ios::binary | std::ios::trunc);
    out << text;
    if (!out.flush()) return std::unexpected(base + name + ": cannot be written");
  }
  return {};
}

program ctdbd_program(const local_cluster& c, std::uint32_t node) {
  const auto base = c.base(node);
  return {.words = {find_ctdbd().value_or("ctdbd"), "--interactive"},
          .environment = {"CTDB_TEST_MODE=yes", "CTDB_BASE=" + base},
          .output = base + "/log.ctdb"};
}

}  // namespace floe::cli::drill
