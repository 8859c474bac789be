#pragma once
/// Parts of the lines that database actors log.
#include <fmt/format.h>

#include <string>

#include "actors/database/lock_table.hpp"
#include "actors/hex.hpp"
#include "protocol/rules/freeze.hpp"

namespace floe {

inline std::string describe(const client_ref& c, byte_view key) {
  return fmt::format("client={} pid={} name={} key={}", c.id, c.pid, c.name, to_hex(key));
}

inline std::string refusal_text(const freeze_status& s, freeze_refusal r) {
  return fmt::format("{} (database is {})", name(r), name(s.state));
}

}  // namespace floe
