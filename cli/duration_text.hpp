#pragma once
/// Durations on the command line: "500ms", "10s", "2m", or a number of seconds.
#include <optional>
#include <string>
#include <string_view>

#include "protocol/rules/time.hpp"

namespace floe::cli {
std::optional<duration> parse_duration(std::string_view);
/// What to say of a text that is none.
std::string not_a_duration(std::string_view);
}  // namespace floe::cli
