#pragma once
/// Starting a node in this process. Several nodes may live in one process, each with its own environment.
#include <functional>
#include <string>

#include "actors/environment.hpp"
#include "actors/node/node_config.hpp"
#include "actors/node/node_message.hpp"

namespace floe {

/// Starts the node's actors. `stopped` is called on the loop, and told why, when the node has taken itself down: after a
/// `stop_node` message, a SHUTDOWN control, or when it could not listen.
address<node_message> start_node(node_environment, node_config,
                                 std::function<void(const std::string& why)> stopped);

}  // namespace floe
