#pragma once
/// Packets that real daemons and tools exchanged, read from tests/golden/*.jsonl.
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/controls.hpp"

namespace golden {

struct capture {
  std::string file;
  std::string id;
  std::string about;
  nlohmann::json line;
  floe::bytes packet;
  /// Of a request, or of the request that a reply answers.
  std::optional<floe::control> opcode;
  bool hand_made() const { return about.starts_with("hand-made"); }
  bool valid() const { return !line.at("fields").is_null(); }
};

/// All lines of all files, the invalid ones included.
const std::vector<capture>& all();

floe::bytes from_hex(const std::string& hex);

/// Where two JSON values differ, one line; empty if they do not. Numbers compare by value.
std::string difference(const nlohmann::json& got, const nlohmann::json& want,
                       const std::string& path = "");

}  // namespace golden
