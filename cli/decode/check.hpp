#pragma once
/// Compares a packet with what its line in a capture file says about it.
#include <string>
#include <vector>

#include "cli/decode/capture_file.hpp"

namespace floe::cli {

struct disagreement {
  std::string field;                  ///< "fields.data.map[1]", "op", "hex"
  std::optional<std::size_t> offset;  ///< in the packet
  std::string text;                   ///< "is 3, should be 4"
  std::string line() const;           ///< "field data.map[1] at offset 72 is 3, should be 4"
};

/// Decodes, compares operation, control and fields, encodes again and compares bytes outside of
/// `uninit`, and compares the length with the one that a daemon would give it (of hand-made packets
/// not). Empty: all is as the line says.
std::vector<disagreement> check_line(const capture_line&);

/// Where two JSON values differ; `should` is what was expected.
struct json_difference {
  std::string path;  ///< "data.map[1]"
  std::string text;
};
std::vector<json_difference> json_differences(const nlohmann::json& is,
                                              const nlohmann::json& should);

}  // namespace floe::cli
