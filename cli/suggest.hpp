#pragma once
/// "did you mean ...?"
#include <optional>
#include <span>
#include <string_view>

namespace floe::cli {

/// The candidate that is closest to what was written, if one is close enough to be meant. Case does
/// not matter.
std::optional<std::string_view> closest(std::string_view written,
                                        std::span<const std::string_view> candidates);

}  // namespace floe::cli
