#pragma once
/// What the tables of the protocol, and that of the log's events, say about a name or number, for people and for programs.
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
/// a flag, a tunable, a type or an event by name. Empty if there are none.
std::vector<explanation> explain(std::string_view name, bool colours);
/// Every event of events.def, in its order.
std::vector<explanation> explain_all_events();

}  // namespace floe::cli
