#include "cli/command/drill/failure_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace floe::cli::drill {
namespace {

/// "3, 5 to 9"
std::string ranges_of(std::vector<std::uint64_t> seeds) {
  std::ranges::sort(seeds);
  std::string out;
  for (std::size_t i = 0; i < seeds.size();) {
    std::size_t last = i;
    while (last + 1 < seeds.size() && seeds[last + 1] == seeds[last] + 1) ++last;
    out += fmt::format("{}{}", out.empty() ? "" : ", ", seeds[i]);
    if (last > i) out += fmt::format("{}{}", last == i + 1 ? ", " : " to ", seeds[last]);
    i = last + 1;
  }
  return out;
}

}  // namespace

bool failure_kinds::add(const std::string& drill, const verdict& v) {
  auto& k = kinds_[{drill, v.failed_at}];
  k.seeds.push_back(v.seed);
  if (k.seeds.size() > 1) return false;
  k.drill = drill;
  k.reason = v.reason;
  return true;
}

std::string failure_kinds::text() const {
  std::vector<const kind*> all;
  for (const auto& [key, k] : kinds_) all.push_back(&k);
  if (std::ranges::none_of(all, [](const kind* k) { return k->seeds.size() > 1; })) return {};
  std::ranges::stable_sort(all, std::ranges::greater{},
                           [](const kind* k) { return k->seeds.size(); });
  std::string out;
  for (const auto* k : all) {
    const bool named = k->reason.starts_with(k->drill + ":");
    out += fmt::format("{}  {}{} (seed{} {})\n",
                       k->seeds.size() == 1 ? "once" : fmt::format("{} times", k->seeds.size()),
                       named ? "" : k->drill + ": ", k->reason, k->seeds.size() == 1 ? "" : "s",
                       ranges_of(k->seeds));
  }
  return out;
}

}  // namespace floe::cli::drill
