#include "mutant_switch.hpp"

namespace floe {
std::optional<mutant> switched_on;
bool mutated(mutant m) { return switched_on == m; }
}  // namespace floe
