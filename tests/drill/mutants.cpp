/// The program floe with one bug of the past switched on: the one that the environment names in FLOE_MUTANT.
/// The names are those of protocol/mutants.def.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "protocol/mutant.hpp"

namespace floe {
namespace {

constexpr std::string_view names[] = {
#define MUTANT(name, bug, wrong, drill, seeds) #name,
#include "protocol/mutants.def"
#undef MUTANT
};

/// The index of the mutant that is on; that of none is -1.
int chosen() {
  const char* wanted = std::getenv("FLOE_MUTANT");
  if (!wanted || !*wanted) return -1;
  for (int i = 0; const auto name : names) {
    if (name == wanted) return i;
    ++i;
  }
  std::fprintf(stderr, "floe_mutants: no such mutant: %s\n", wanted);
  std::exit(2);
}

}  // namespace

bool mutated(mutant m) {
  static const int on = chosen();
  return static_cast<int>(m) == on;
}

}  // namespace floe
