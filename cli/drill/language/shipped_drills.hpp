#pragma once
/// The drills that come with the program: their texts are part of it.
#include <span>
#include <string_view>

namespace floe::cli::drill {

struct shipped_drill {
  std::string_view name;  ///< "follower-killed"
  std::string_view text;
};
std::span<const shipped_drill> shipped_drills();

}  // namespace floe::cli::drill
