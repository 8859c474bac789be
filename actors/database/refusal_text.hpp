#pragma once
/// Why a database refuses a step of a recovery, in words: for who asked for it, and for the log.
#include <fmt/format.h>

#include <string>

#include "protocol/rules/freeze.hpp"

namespace floe {

inline std::string refusal_text(const freeze_status& s, freeze_refusal r) {
  return fmt::format("{} (database is {})", name(r), name(s.state));
}

}  // namespace floe
