#include "protocol/types/vnn_map.hpp"

#include "protocol/hash.hpp"
#include "protocol/wire/layout.hpp"

namespace floe {

constexpr auto layout(wire::of<vnn_map>) {
  return wire::record("vnn_map", wire::field("generation", &vnn_map::generation),
                      wire::counted("size", "map", &vnn_map::slots));
}
template struct wire::codec<vnn_map>;

bytes with_others(const vnn_map& map, const std::vector<pnn>& beside) {
  bytes all = wire::encode(map);
  all += wire::encode(vnn_map{.generation = map.generation, .slots = beside});
  return all;
}

std::optional<std::vector<pnn>> others_behind(const vnn_map& map, byte_view request) {
  const auto size = wire::encode(map).size();
  if (request.size() <= size) return std::nullopt;
  auto others = wire::decode<vnn_map>(request.substr(size));
  if (!others || others->generation != map.generation) return std::nullopt;
  return std::move(others->slots);
}

std::optional<pnn> lmaster_of(const vnn_map& map, byte_view key) {
  if (map.slots.empty()) return std::nullopt;
  return map.slots[key_hash(key) % map.slots.size()];
}

}  // namespace floe
