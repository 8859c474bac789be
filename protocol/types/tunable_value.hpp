#pragma once
/// Tunables one at a time, and the list of their names. All of them at once: protocol/tunables.hpp.
/// Facts: Samba ctdb/protocol/protocol_types.c (ctdb_tunable_push, ctdb_var_list_push).
#include <cstddef>
#include <cstdint>

#include "protocol/bytes.hpp"

namespace floe {

struct tunable_set {
  static constexpr std::size_t wire_size_min = 8;
  std::uint32_t value = 0;
  byte_view name;
  bool operator==(const tunable_set&) const = default;
};

struct tunable_name {
  static constexpr std::size_t wire_size_min = 4;
  byte_view name;
  bool operator==(const tunable_name&) const = default;
};

/// Names joined by ':', in a daemon's answer also one in front. Skip empty names.
struct var_list {
  static constexpr std::size_t wire_size_min = 4;
  byte_view list;
  bool operator==(const var_list&) const = default;
};

}  // namespace floe
