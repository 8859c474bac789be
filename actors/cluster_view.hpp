#pragma once
/// What a node knows of its cluster at one moment: immutable, replaced as a whole, shared by all its actors.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "actors/link/link_message.hpp"
#include "protocol/ids.hpp"

namespace floe {

struct peer_view {
  std::uint32_t flags = 0;  ///< node_flag bits; DISCONNECTED is our own observation
  endpoint where;
  bool dead = false;    ///< disconnected because its process has ended, not because it is silent
  bool absent = false;  ///< not connected, and nobody listens where it would be
  bool floe = false;    ///< a floe node, not a ctdbd; known while it is connected
  std::uint32_t level = 0;     ///< of its features; known when it was connected
  address<link_message> link;  ///< empty for ourselves and for deleted nodes
};

struct cluster_view {
  pnn self{0};
  std::vector<peer_view> nodes;  ///< index = pnn
  generation gen = generation::invalid;
  std::vector<pnn> map;  ///< vnn map: lmaster of a key is map[hash % size]
  /// Who takes part in the generation: the nodes of the map, and those that track no records, where the leader has named them.
  std::vector<pnn> members;
  bool others_named = false;  ///< nobody else takes part; false: the leader could not tell
  recovery_mode mode = recovery_mode::active;
  pnn leader = pnn::unknown;
  floe::runstate run = runstate::init;
  std::uint32_t capabilities = 0;

  const peer_view* find(pnn p) const {
    return number(p) < nodes.size() ? &nodes[number(p)] : nullptr;
  }
  bool is_member(pnn p) const { return std::ranges::find(members, p) != members.end(); }
  std::uint32_t own_flags() const { return nodes[number(self)].flags; }
};
using view_ptr = std::shared_ptr<const cluster_view>;

}  // namespace floe
