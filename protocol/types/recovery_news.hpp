#pragma once
/// floe's own: the message FLOE_RECOVERY_NEWS, by which a node tells clients of its own that have registered for it how
/// far recoveries are on this node, so that a program can say why it waits.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/ids.hpp"

namespace floe {

/// What a database does for clients of this node; the freeze states of rules/freeze.hpp.
enum class database_phase : std::uint32_t {
  serving,   ///< as ever
  freezing,  ///< nothing new is granted, holders of record locks finish
  frozen,  ///< waits for the other nodes, for the leader, or (of an inactive node) to be active again
  exchanging,  ///< its records are collected, merged and given out
};
/// "serving"; "unknown" for a number without a name.
std::string_view name(database_phase);

struct database_news {
  static constexpr std::size_t wire_size = 12;
  floe::db_id db_id{0};
  database_phase phase = database_phase::serving;
  floe::generation generation = floe::generation::invalid;  ///< of its content
  bool operator==(const database_news&) const = default;
};

struct recovery_news {
  static constexpr std::size_t wire_size_min = 12;
  std::uint32_t whole = 0;  ///< 1: databases that are not listed serve; 0: nothing is said of these
  std::uint32_t active = 0;  ///< 1: the node's recovery mode is ACTIVE
  std::vector<database_news> databases;
  bool operator==(const recovery_news&) const = default;
};

}  // namespace floe
