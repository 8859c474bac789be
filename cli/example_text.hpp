#pragma once
/// Examples of help on a terminal that is narrower than they are: a comment moves above its command, a command goes on in the
/// next line behind a backslash, so that it can still be copied, and prose is broken at blanks.
#include <string>
#include <string_view>

namespace floe::cli {

/// Lines, each with a newline. Prose begins with words and a colon ("Exit status: ..."), or ends with a full stop.
std::string example_text(std::string_view lines, std::size_t width);

}  // namespace floe::cli
