#pragma once
/// Which lines of a drill cannot be played on some testbed, known before anything is played.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/drill/language/script.hpp"
#include "cli/drill/testbed/testbed.hpp"

namespace floe::cli::drill {

struct impossible_line {
  unsigned line = 0;
  std::string text;
  std::string why;
};

using refusal = std::function<std::optional<std::string>(ability)>;

/// In the order of the file.
std::vector<impossible_line> impossible_lines(const script&, const refusal&);
/// The same drill, these lines left out.
script without_impossible(script, const refusal&);
/// Whether a line needs it.
bool needs(const script&, ability);

}  // namespace floe::cli::drill
