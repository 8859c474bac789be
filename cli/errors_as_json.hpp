#pragma once
/// Whether errors are printed as objects (print_errors_as_json() of context.hpp): then nothing else is said on standard error.

namespace floe::cli {

bool prints_errors_as_json();

}  // namespace floe::cli
