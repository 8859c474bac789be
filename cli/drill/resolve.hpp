#pragma once
/// Which nodes the words of a line mean now.
#include <expected>
#include <string>
#include <vector>

#include "cli/drill/words.hpp"

namespace floe::cli::drill {

using node_list = std::vector<std::size_t>;

/// The error is that of the first that means no node, such as "there is no leader now".
inline std::expected<node_list, std::string> resolve(stage& s, const std::vector<node_ref>& refs) {
  node_list all;
  for (const auto& r : refs) {
    const auto n = r(s);
    if (!n) return std::unexpected(n.error());
    all.push_back(*n);
  }
  return all;
}

}  // namespace floe::cli::drill
