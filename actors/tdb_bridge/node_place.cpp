#include "actors/tdb_bridge/node_place.hpp"

#include <filesystem>
#include <fstream>

namespace floe {
namespace {

constexpr std::string_view tdb_magic = "TDB file\n";

/// To open a FIFO would wait for ever.
std::ifstream open_regular(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error) ? std::ifstream(path, std::ios::binary)
                                                       : std::ifstream();
}

}  // namespace

bool is_tdb_file(const std::string& path) {
  auto in = open_regular(path);
  std::string start(tdb_magic.size(), '\0');
  in.read(start.data(), static_cast<std::streamsize>(start.size()));
  return in.gcount() == static_cast<std::streamsize>(start.size()) && start == tdb_magic;
}

std::string node_place_text(const std::string& socket, unsigned pnn) {
  return "socket " + socket + "\npnn " + std::to_string(pnn) + "\n";
}

std::optional<database_place> find_database_place(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return std::nullopt;
  auto in = open_regular(path.substr(0, slash + 1) + node_place_file);
  std::string socket, pnn;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("socket ")) socket = line.substr(7);
    if (line.starts_with("pnn ")) pnn = line.substr(4);
  }
  const auto ending = "." + pnn;
  auto name = path.substr(slash + 1);
  if (socket.empty() || pnn.empty() || !name.ends_with(ending) || name.size() == ending.size())
    return std::nullopt;
  if (is_tdb_file(path)) return std::nullopt;
  name.resize(name.size() - ending.size());
  return database_place{std::move(socket), std::move(name)};
}

}  // namespace floe
