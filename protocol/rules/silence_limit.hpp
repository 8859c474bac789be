#pragma once
/// CTDB's limit for a silent node: KeepaliveLimit intervals of KeepaliveInterval. Both are whatever an operator has set,
/// up to 2^32 - 1 of 136 years, so that the product may be more than a duration holds: then it is a century.
#include <chrono>
#include <cstdint>

#include "protocol/rules/time.hpp"

namespace floe {

constexpr duration silence_limit(duration interval, std::uint32_t intervals) {
  constexpr duration century = std::chrono::hours(24 * 36'525);
  if (intervals == 0 || interval <= duration{0}) return duration{0};
  return interval > century / intervals ? century : interval * intervals;
}

}  // namespace floe
