#include "actors/table/chunk_pool.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

namespace floe {

chunk_pool::chunk_pool(std::uint32_t words) {
  assert(std::has_single_bit(words) && words >= 1U << smallest_order);
  const auto highest = static_cast<unsigned>(std::countr_zero(words));
  free_.resize(highest - smallest_order + 1);
  free_.back().insert(0);
  kept_.resize(free_.size());
}

unsigned chunk_pool::order_for(std::size_t words) {
  return std::max(smallest_order,
                  static_cast<unsigned>(std::bit_width(words <= 1 ? std::size_t{0} : words - 1)));
}

std::optional<std::uint32_t> chunk_pool::take(unsigned order) {
  if (order > highest_order()) return std::nullopt;
  auto& kept = kept_[order - smallest_order];
  std::optional<std::uint32_t> at;
  if (!kept.empty()) {
    at = kept.back();
    kept.pop_back();
  } else if (at = split(order); !at) {
    for (unsigned o = smallest_order; o <= highest_order(); ++o)
      for (const auto chunk : std::exchange(kept_[o - smallest_order], {})) join(chunk, o);
    at = split(order);
  }
  return at;
}

std::optional<std::uint32_t> chunk_pool::split(unsigned order) {
  unsigned from = order;
  while (from <= highest_order() && free_of(from).empty()) ++from;
  if (from > highest_order()) return std::nullopt;
  const auto at = *free_of(from).begin();
  free_of(from).erase(free_of(from).begin());
  while (from > order) {
    --from;
    free_of(from).insert(at + (1U << from));
  }
  return at;
}

void chunk_pool::give_back(std::uint32_t at, unsigned order) {
  auto& kept = kept_[order - smallest_order];
  assert(std::ranges::find(kept, at) == kept.end());
  if (kept.size() < kept_max) return kept.push_back(at);
  join(at, order);
}

void chunk_pool::join(std::uint32_t at, unsigned order) {
  for (; order < highest_order(); ++order) {
    const auto buddy = free_of(order).find(at ^ (1U << order));
    if (buddy == free_of(order).end()) break;
    free_of(order).erase(buddy);
    at &= ~(1U << order);
  }
  const bool added = free_of(order).insert(at).second;
  assert(added);
  (void)added;
}

}  // namespace floe
