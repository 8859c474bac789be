#pragma once
/// Capture files: JSON Lines, one packet each, as described in tests/golden/README.md.
#include <cstddef>
#include <expected>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "protocol/controls.hpp"

namespace floe::cli {

struct capture_line {
  std::size_t number = 0;  ///< in the file, from 1
  nlohmann::json said;     ///< the whole object
  bytes packet;
  std::optional<std::size_t> bad_hex;  ///< where `hex` ceases to be hex; the packet is empty then
  std::optional<control> opcode;       ///< what `control` says

  std::string id() const;
  bool hand_made() const;
  /// `fields` is null: the bytes are no packet, and shall be refused.
  bool broken_on_purpose() const;
};

/// The lines of a file, blank ones left out; "line 3: not JSON: ..." if one cannot be read.
std::expected<std::vector<capture_line>, std::string> parse_captures(const std::string& text);

}  // namespace floe::cli
