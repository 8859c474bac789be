#pragma once
/// Durations in numbers, as events and statistics have them.
#include <cstdint>

#include "protocol/rules/time.hpp"

namespace floe {

constexpr double in_seconds(duration d) { return std::chrono::duration<double>(d).count(); }
constexpr std::int64_t in_ms(duration d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}
constexpr std::int64_t in_us(duration d) {
  return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}

}  // namespace floe
