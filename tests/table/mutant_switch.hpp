#pragma once
/// The tests of the table switch mutants on themselves: this program has a `mutated` of its own.
#include <optional>

#include "protocol/mutant.hpp"

namespace floe {
extern std::optional<mutant> switched_on;
}  // namespace floe
