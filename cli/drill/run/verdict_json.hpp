#pragma once
/// A verdict as JSON, for the way from the process that played to the one that tells.
#include <optional>
#include <string>

#include "cli/drill/run/play.hpp"

namespace floe::cli::drill {

std::string verdict_json(const verdict&);
std::optional<verdict> read_verdict(const std::string&);

}  // namespace floe::cli::drill
