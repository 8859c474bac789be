#pragma once
/// How a process of ours takes memory from the system.
#include <malloc.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>

namespace floe {

/// Buffers of a megabyte come and go by the hundred in a recovery. Taken from the system and given back each time they
/// would be zeroed page by page each time, which costs more than filling them: below this size they stay in the heap.
constexpr int heap_block_max = 128 << 20;

/// While it lives, blocks above a small size come from the system, as zero pages that take no memory until they are
/// touched. LMDB asks for 3 MB of zeroed lists for each environment, and touches a few entries; out of the heap, which
/// has to zero them, an empty database would cost 2 MB, and its node a pause. Room that the heap has is used before any is
/// asked for, so it is taken, untouched, for as long.
class untouched_blocks {
 public:
  untouched_blocks() {
    ::mallopt(M_MMAP_THRESHOLD, 512 << 10);
    for (auto& room : taken_) {
      room = std::malloc(1 << 20);
      if (!is_in_heap(room)) break;
    }
  }
  ~untouched_blocks() {
    for (void* room : taken_) std::free(room);
    ::mallopt(M_MMAP_THRESHOLD, heap_block_max);
  }
  untouched_blocks(const untouched_blocks&) = delete;

 private:
  /// What the system gives apart from the heap lies behind it.
  static bool is_in_heap(const void* p) {
    return reinterpret_cast<std::uintptr_t>(p) < reinterpret_cast<std::uintptr_t>(::sbrk(0));
  }
  std::array<void*, 64> taken_{};
};

}  // namespace floe
