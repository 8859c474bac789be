#pragma once
/// Which lines of a drill cannot be played on a ground, known before anything is played.
#include <string>
#include <vector>

#include "cli/drill/ground.hpp"
#include "cli/drill/script.hpp"

namespace floe::cli::drill {

struct impossible_line {
  unsigned line = 0;
  std::string text;
  std::string why;
};

/// In the order of the file.
std::vector<impossible_line> impossible_lines(const script&, const ground&);
/// The same drill, these lines left out.
script without_impossible(script, const ground&);

}  // namespace floe::cli::drill
