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

/// SETVNNMAP among floe's nodes. Behind the map another one of the same generation names who takes part beside it: nodes that
/// track no records. Whoever does not know it, as a ctdbd, reads the map and nothing behind it.
bytes with_others(const vnn_map& map, const std::vector<pnn>& beside);
/// Of such a request: nothing if it names nobody, be it that nobody takes part beside the map or that its sender cannot tell.
std::optional<std::vector<pnn>> others_behind(const vnn_map& map, byte_view request);

/// Nothing if the map is empty.
std::optional<pnn> lmaster_of(const vnn_map& map, byte_view key);

}  // namespace floe
