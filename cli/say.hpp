#pragma once
/// What is told on standard error while a command runs.
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

namespace floe::cli {

/// A standard error that is full, or that nobody reads, is no reason to end: fmt::print would throw.
template <class... T>
void say(fmt::format_string<T...> text, T&&... parts) {
  const std::string line = fmt::format(text, std::forward<T>(parts)...);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace floe::cli
