#pragma once
/// Makes a script smaller as long as it still fails: delta debugging over its lines, then over
/// everything that is said of one name (a client and all that it does), then over pairs (a fault
/// and its end), and within blocks.
#include <functional>
#include <optional>

#include "cli/drill/shrink/script_lines.hpp"

namespace floe::cli::drill {

/// The first of the candidates that still fails in the same way; none of them does: nothing.
/// Those behind the first need not be tried.
using try_candidates = std::function<std::optional<std::size_t>(const std::vector<script_lines>&)>;

/// What comes out depends on nothing but what `still_fails` says.
script_lines reduce(script_lines, const try_candidates& still_fails);

}  // namespace floe::cli::drill
