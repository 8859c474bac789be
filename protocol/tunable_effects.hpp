#pragma once
/// Tunables of CTDB that can be set here and do nothing, with the reason. What is missing in the list has an effect.
#include "protocol/tunables.hpp"

namespace floe {

/// Why a value of it changes nothing; empty if it has an effect.
byte_view why_without_effect(tunable);

}  // namespace floe
