#pragma once
/// The libtdb that this library stands before: for every file that is no database of a floe node.
#include "actors/tdb_bridge/tdb_abi.hpp"

namespace floe::bridge {

/// A function of it; ends the process if there is none.
void* real_function(const char* name);

}  // namespace floe::bridge

/// The real function of this name, looked up once.
#define REAL(name)                                                             \
  ([] {                                                                        \
    static const auto found =                                                  \
        reinterpret_cast<decltype(&name)>(floe::bridge::real_function(#name)); \
    return found;                                                              \
  }())
