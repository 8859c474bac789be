#include "cli/config/database_folders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "actors/tdb_bridge/node_place.hpp"

namespace floe::cli {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> folders(const node_config& c) {
  std::vector<std::string> all{c.persistent_dir, c.volatile_dir};  // what is worth keeping first
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::vector<std::string> tdb_files(const std::string& folder, unsigned pnn) {
  std::vector<std::string> found;
  std::error_code ignored;
  const auto ending = fmt::format(".{}", pnn);
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.path().filename().string().ends_with(ending) && is_tdb_file(entry.path().string()))
      found.push_back(entry.path().filename().string());
  std::ranges::sort(found);
  return found;
}

}  // namespace

std::string files_of_ctdbd(const node_config& c) {
  for (const auto& folder : folders(c)) {
    const auto found = tdb_files(folder, number(c.self));
    if (found.empty()) continue;
    const bool kept = folder == c.persistent_dir;
    return fmt::format(
        "{} holds {} database{} of a ctdbd ({}{}), which this program does not touch; move the "
        "folder away and start again{}",
        folder, found.size(), found.size() == 1 ? "" : "s", found.front(),
        found.size() == 1 ? "" : ", ...",
        kept ? ", then `floe import` what was moved" : "; its content ended with that ctdbd");
  }
  return {};
}

std::string files_of_other_nodes(const node_config& c) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(c.persistent_dir, ignored)) {
    auto name = entry.path().filename().string();
    const auto dot = name.rfind('.');
    if (dot == std::string::npos || dot + 1 == name.size()) continue;
    const auto number_of = name.substr(dot + 1);
    if (number_of.find_first_not_of("0123456789") != std::string::npos) continue;
    if (number_of != std::to_string(number(c.self))) found.push_back(std::move(name));
  }
  if (found.empty()) return {};
  std::ranges::sort(found);
  return fmt::format(
      "{} holds {} database{} of another node ({}{}), and this is node {}: they are not opened "
      "here. Was "
      "a line of the nodes file moved?",
      c.persistent_dir, found.size(), found.size() == 1 ? "" : "s", found.front(),
      found.size() == 1 ? "" : ", ...", number(c.self));
}

std::string announce_node(const node_config& c) {
  for (const auto& folder : folders(c)) {
    const auto path = folder + "/" + node_place_file, made = path + ".new";
    std::ofstream out(made, std::ios::binary | std::ios::trunc);
    out << node_place_text(c.socket, number(c.self));
    out.close();
    std::error_code problem;
    if (out) fs::rename(made, path, problem);
    if (!out || problem) return path + ": cannot be written";
  }
  return {};
}

}  // namespace floe::cli
