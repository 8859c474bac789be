#pragma once
/// A record, whose copy of it this is, and the rule that chooses between copies.
#include <functional>

#include "protocol/record.hpp"

namespace floe {

struct record_copy {
  record_view record{};
  pnn from{0};
};

/// Is the challenger to be taken instead of the incumbent? Both have the same key.
using better_copy =
    std::function<bool(const record_copy& challenger, const record_copy& incumbent)>;

}  // namespace floe
