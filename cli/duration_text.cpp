#include "cli/duration_text.hpp"

#include <charconv>
#include <chrono>

namespace floe::cli {

std::optional<duration> parse_duration(std::string_view text) {
  double n = 0;
  const auto* end = text.data() + text.size();
  const auto r = std::from_chars(text.data(), end, n);
  if (r.ec != std::errc() || !(n >= 0 && n <= 1e9)) return std::nullopt;
  const std::string_view unit(r.ptr, static_cast<std::size_t>(end - r.ptr));
  double seconds = 0;
  if (unit.empty() || unit == "s")
    seconds = n;
  else if (unit == "ms")
    seconds = n / 1000;
  else if (unit == "us")
    seconds = n / 1'000'000;
  else if (unit == "m" || unit == "min")
    seconds = n * 60;
  else
    return std::nullopt;
  return std::chrono::duration_cast<duration>(std::chrono::duration<double>(seconds));
}

std::string not_a_duration(std::string_view text) {
  return "a duration is 500ms, 10s, 2m or a number of seconds: " + std::string(text);
}

}  // namespace floe::cli
