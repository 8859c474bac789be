#pragma once
/// The watch over the turns of a node's loop: others wait while one turn goes on, and after seconds take this node for dead. A
/// turn that was too long is counted and told, with what it did.
#include <string_view>

#include "actors/node/node_port.hpp"
#include "protocol/packet.hpp"

namespace floe {

/// As long as the port lives, or until ignore_turns.
void watch_turns(node_port&);
void ignore_turns();

/// What this turn does: it carries this packet.
void say_turn(std::string_view kind, const packet&);

}  // namespace floe
