#include "protocol/types/vnn_map.hpp"

#include "protocol/hash.hpp"
#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<vnn_map>) {
  return wire::record("vnn_map", wire::field("generation", &vnn_map::generation),
                      wire::counted("size", "map", &vnn_map::slots));
}
template struct wire::codec<vnn_map>;

std::optional<pnn> lmaster_of(const vnn_map& map, byte_view key) {
  if (map.slots.empty()) return std::nullopt;
  return map.slots[key_hash(key) % map.slots.size()];
}

}  // namespace floe
