#pragma once
/// Waiting until a recovery is over, as seen by one node. The node's RECONFIGURE message would say
/// so sooner, but not every recovery that matters sends one; asking a few times a second is as
/// good.
#include <optional>

#include "actors/client/records.hpp"

namespace floe {

struct recovered_state {
  floe::generation generation = floe::generation::invalid;
};

/// Done when recovery mode is NORMAL and, if `old` is given, the generation is another one.
void wait_recovered(client&, pnn node, std::optional<generation> old, duration patience,
                    when_done<recovered_state> done);

}  // namespace floe
