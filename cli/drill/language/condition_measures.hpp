#pragma once
/// Conditions about what is counted and measured, and about records.
#include <optional>

#include "cli/drill/language/verb.hpp"

namespace floe::cli::drill {

/// Nothing if the next word begins none of them. A line with a mistake gives an empty test.
std::optional<test> read_measure(line_parser&);

/// "KEY is VALUE|absent [on NODE]", behind the name of a database.
test record_condition(line_parser&, const std::string& db);

}  // namespace floe::cli::drill
