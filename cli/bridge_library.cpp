#include "cli/bridge_library.hpp"

#include <filesystem>

namespace floe::cli {

std::optional<std::string> bridge_library() {
  namespace fs = std::filesystem;
  std::error_code problem;
  const auto here = fs::read_symlink("/proc/self/exe", problem).parent_path();
  if (problem) return std::nullopt;
  // FLOE_BRIDGE_FROM_BIN: from the folder of installed programs to that of the library, as meson was told
  for (const auto& folder : {here / FLOE_BRIDGE_FROM_BIN, here / "../actors/tdb_bridge"}) {
    const auto file = folder / "libfloe-tdb.so";
    if (fs::exists(file, problem)) return fs::canonical(file, problem).string();
  }
  return std::nullopt;
}

}  // namespace floe::cli
