#include "cli/command/drill/failure_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace floe::cli::drill {
namespace {

constexpr std::size_t seeds_shown = 8;

}  // namespace

std::optional<std::uint64_t> failure_kinds::add(const std::string& drill, const verdict& v) {
  auto& k = kinds_[{drill, v.failed_at}];
  k.seeds.push_back(v.seed);
  if (k.seeds.size() > 1) return k.seeds.front();
  k.drill = drill;
  k.reason = v.reason;
  return std::nullopt;
}

std::string failure_kinds::text() const {
  std::vector<const kind*> all;
  for (const auto& [key, k] : kinds_) all.push_back(&k);
  if (std::ranges::none_of(all, [](const kind* k) { return k->seeds.size() > 1; })) return {};
  std::ranges::stable_sort(all, std::ranges::greater{},
                           [](const kind* k) { return k->seeds.size(); });
  std::string out;
  for (const auto* k : all) {
    std::string seeds;
    for (std::size_t i = 0; i < std::min(seeds_shown, k->seeds.size()); ++i)
      seeds += fmt::format("{}{}", i ? ", " : "", k->seeds[i]);
    if (k->seeds.size() > seeds_shown) seeds += ", ...";
    out += fmt::format("{} times  {}: {} (seed {})\n", k->seeds.size(), k->drill, k->reason, seeds);
  }
  return out;
}

}  // namespace floe::cli::drill
