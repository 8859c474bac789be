#pragma once
/// How a node stands to the cluster lock: what its leader says to the node, and the node in its status, its metrics and its log.
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace floe {

enum class lock_standing : std::uint8_t {
  held,
  held_by_another,
  not_held,  ///< and not tried yet
  taking,
  failed,  ///< it cannot be taken, for another reason than that somebody has it
  lost,
  released,
};
/// In the order in which they are shown.
inline constexpr std::array lock_standings{lock_standing::held,     lock_standing::held_by_another,
                                           lock_standing::not_held, lock_standing::taking,
                                           lock_standing::failed,   lock_standing::lost,
                                           lock_standing::released};

/// For people and, in JSON and metrics, for programs.
constexpr std::string_view name(lock_standing s) {
  switch (s) {
    case lock_standing::held: return "held";
    case lock_standing::held_by_another: return "held by another";
    case lock_standing::not_held: return "not held";
    case lock_standing::taking: return "taking";
    case lock_standing::failed: return "failed";
    case lock_standing::lost: return "lost";
    case lock_standing::released: return "released";
  }
  std::unreachable();
}

}  // namespace floe
