#pragma once
/// floe's own: the answer to the message FLOE_RECOVER, at the end of the recovery that was asked for.
#include <cstddef>
#include <cstdint>

#include "protocol/bytes.hpp"

namespace floe {

struct recovery_answer {
  static constexpr std::size_t wire_size_min = 8;
  std::int32_t differed = 0;  ///< contents that were not equal; a negative errno: none was compared
  byte_view what;             ///< which, a line for each
  bool operator==(const recovery_answer&) const = default;
};

}  // namespace floe
