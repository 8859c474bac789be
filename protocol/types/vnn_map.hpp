#pragma once
/// Which node tracks which record: slot hash(key) % size of the map names the lmaster.
/// Facts: Samba ctdb/protocol/protocol_types.c (ctdb_vnn_map_push), ctdb/server/ctdb_ltdb_server.c
/// (ctdb_lmaster).
#include <cstddef>
#include <optional>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/ids.hpp"

namespace floe {

struct vnn_map {
  static constexpr std::size_t wire_size_min = 8;
  floe::generation generation = floe::generation::invalid;
  std::vector<pnn> slots;
  bool operator==(const vnn_map&) const = default;
};

/// Nothing if the map is empty.
std::optional<pnn> lmaster_of(const vnn_map& map, byte_view key);

}  // namespace floe
