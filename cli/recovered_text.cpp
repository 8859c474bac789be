#include "cli/recovered_text.hpp"

#include <fmt/format.h>

#include "cli/output.hpp"

namespace floe::cli {
namespace {

std::string bytes_text(std::uint64_t n) {
  if (n < 10'000) return fmt::format("{} B", n);
  if (n < 10'000'000) return fmt::format("{} kB", n / 1000);
  return fmt::format("{} MB", n / 1'000'000);
}

}  // namespace

std::string recovered_text(const recovered_database& d) {
  const auto in = age_text(d.ms);
  std::string text;
  if (d.way == "unchanged")
    text = fmt::format("unchanged: all nodes had the same {} records", d.records);
  else if (d.way == "difference")
    text = fmt::format("by difference: looked at {}, {} in {}",
                       d.looked_at <= d.records
                           ? fmt::format("{} of {} records", d.looked_at, d.records)
                           : fmt::format("{} keys of which {} are left", d.looked_at, d.records),
                       bytes_text(d.bytes), in);
  else
    text = fmt::format("whole, because {}: {} copies, {} in {}", d.why, d.looked_at,
                       bytes_text(d.bytes), in);
  if (d.kept + d.lost > 0)
    text += fmt::format("; nodes that came back keep {} records and lose {}", d.kept, d.lost);
  return text;
}

}  // namespace floe::cli
