#pragma once
/// The words for a recovery mode in events.
#include <string_view>

#include "protocol/ids.hpp"

namespace floe {

constexpr std::string_view name(recovery_mode m) {
  return m == recovery_mode::normal ? "normal" : "active";
}

}  // namespace floe
