#pragma once
/// Feature levels, for rolling upgrades: what nodes of different programs may use among each other. Every node tells its own
/// in its capabilities; a cluster uses the lowest of its nodes, and no more than the tunable FeatureLevel of the node that
/// decides. So an operator pins the level before an upgrade, can go back as long as it is pinned, and raises it afterwards.
///
/// A new level is a row here, and whatever it brings asks `uses`. ctdbd has level 0: what is CTDB's works with everybody.
#include <algorithm>
#include <array>
#include <cstdint>

#include "protocol/constants.hpp"

namespace floe {

/// Where a node's capabilities have its level: bits that CTDB does not use.
inline constexpr std::uint32_t level_shift = 20, level_mask = std::uint32_t{0xF} << level_shift;

struct feature_level {
  std::uint32_t number;
  const char* brings;
};
inline constexpr std::array feature_levels{
    feature_level{1, "floe's order of records in a recovery, fast keepalives"},
    feature_level{2, "recovery by difference"},
    feature_level{3, "nodes are filled before they join"},
    feature_level{4, "a node that is shut down says so to the others"},
    feature_level{5, "all nodes close a database before the first one detaches it"},
    feature_level{6, "nodes that track no records are members of a generation all the same"},
};
inline constexpr std::uint32_t newest_feature_level = feature_levels.back().number;
inline constexpr std::uint32_t level_of_difference = 2;
inline constexpr std::uint32_t level_of_joining = 3;
inline constexpr std::uint32_t level_of_goodbye = 4;
inline constexpr std::uint32_t level_of_closing = 5;
inline constexpr std::uint32_t level_of_others_named = 6;

/// By a node's capabilities. Programs before the level was told tell what they can by single bits.
constexpr std::uint32_t feature_level_of(std::uint32_t capabilities) {
  const auto told = (capabilities & level_mask) >> level_shift;
  if (told > 0) return told;
  if (capabilities & capability::difference) return 2;
  return capabilities & capability::sorted_pull ? 1 : 0;
}
constexpr std::uint32_t capabilities_with_level(std::uint32_t capabilities, std::uint32_t level) {
  return (capabilities & ~level_mask) | (level << level_shift);
}

/// `lowest` of the nodes, `pinned`: the tunable, 0 if the cluster goes as far as its nodes can.
constexpr std::uint32_t used_feature_level(std::uint32_t lowest, std::uint32_t pinned) {
  return pinned == 0 ? lowest : std::min(lowest, pinned);
}

static_assert(newest_feature_level <= level_mask >> level_shift);
static_assert(feature_level_of(capabilities_with_level(0, newest_feature_level)) ==
              newest_feature_level);

}  // namespace floe
