#pragma once
/// Bugs of the past that can be switched on, one at a time, to see whether the drills find them. In production all are
/// off, and cannot be switched on: `mutated` always says no. The program tests/drill/floe_mutants is linked with a
/// `mutated` of its own, which the linker takes instead of the library's, so that everything else is the code that
/// ships.
///
/// A mutant is one condition at the place of the decision that CTDB, or floe itself, once had wrong. It stands
/// where it costs nothing while all is well: after the condition that is the rare case.
#include <cstdint>

namespace floe {

enum class mutant : std::uint8_t {
#define MUTANT(name, bug, wrong, drill, seeds) name,
#include "protocol/mutants.def"
#undef MUTANT
};

/// Whether the decision is to be made as wrongly as it once was.
bool mutated(mutant);

}  // namespace floe
