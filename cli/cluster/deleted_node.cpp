#include "cli/cluster/deleted_node.hpp"

#include <fstream>
#include <string>

namespace floe::cli {

bool is_deleted(const local_cluster& c, std::uint32_t node) {
  std::ifstream in(c.base(node) + "/nodes");
  std::string line;
  for (std::uint32_t i = 0; i <= node; ++i)
    if (!std::getline(in, line)) return false;
  return line.starts_with('#');
}

}  // namespace floe::cli
