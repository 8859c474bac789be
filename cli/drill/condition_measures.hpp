#pragma once
/// Conditions about what is counted and measured, and about records.
#include <optional>

#include "cli/drill/verb.hpp"

namespace floe::cli::drill {

/// Nothing if the next word begins none of them. A line with a mistake gives an empty test.
std::optional<test> read_measure(words&);

/// "KEY is VALUE|absent [on NODE]", behind the name of a database.
test record_condition(words&, const std::string& db);

}  // namespace floe::cli::drill
