#pragma once
/// Time as the rules know it: handed in with each event, never read from a clock.
#include <chrono>

namespace floe {
using time_point = std::chrono::steady_clock::time_point;
using duration = std::chrono::nanoseconds;
}  // namespace floe
