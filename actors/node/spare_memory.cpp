#include "actors/node/spare_memory.hpp"

#include <malloc.h>

#include <chrono>
#include <cstddef>

namespace floe {

void spare_memory::tick(bool large_one_left) {
  constexpr auto forgotten_by_then = std::chrono::seconds(2);
  constexpr auto vacuumed_by_then = std::chrono::seconds(30);
  constexpr std::size_t kept = 8 << 20;
  const auto now = loop_.now();
  if (large_one_left) {
    give_back_at_ = now + forgotten_by_then;
    times_left_ = 2;
  }
  if (times_left_ == 0 || now < give_back_at_) return;
  --times_left_;
  give_back_at_ = now + vacuumed_by_then;
  if (!loop_.is_simulated()) ::malloc_trim(kept);
}

}  // namespace floe
