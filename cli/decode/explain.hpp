#pragma once
/// What the tables of the protocol say about a name or number, for people and for programs.
#include <string>
#include <string_view>
#include <vector>

#include "protocol/wire/json.hpp"

namespace floe::cli {

/// One row of one table, ready for both.
struct explanation {
  std::string text;
  std::string json;  ///< an object
};

/// All rows that are meant: a control by opcode or name, a message by srvid or name, an operation,
/// a flag, a tunable or a type by name. Empty if there are none.
std::vector<explanation> explain(std::string_view name, bool colours);

}  // namespace floe::cli
