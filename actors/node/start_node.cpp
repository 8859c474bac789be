#include "actors/node/start_node.hpp"

#include "actors/node/node.hpp"

namespace floe {
address<node_message> start_node(node_environment env, node_config config,
                                 std::function<void(const std::string& why)> stopped) {
  return env.actors.spawn<node>("node", env, std::move(config), std::move(stopped));
}
}  // namespace floe
