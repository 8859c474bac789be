#pragma once
/// How a process of ours takes memory from the system.
#include <malloc.h>

namespace floe {

/// Buffers of a megabyte come and go by the hundred in a recovery. Taken from the system and given back each time they
/// would be zeroed page by page each time, which costs more than filling them: below this size they stay in the heap.
constexpr int heap_block_max = 128 << 20;

/// While it lives, blocks above a small size come from the system, as zero pages that take no memory until they are
/// touched. LMDB asks for 3 MB of zeroed lists for each environment, and touches a few entries; out of the heap, which
/// has to zero them, an empty database would cost 2 MB.
class untouched_blocks {
 public:
  untouched_blocks() { ::mallopt(M_MMAP_THRESHOLD, 512 << 10); }
  ~untouched_blocks() { ::mallopt(M_MMAP_THRESHOLD, heap_block_max); }
  untouched_blocks(const untouched_blocks&) = delete;
};

}  // namespace floe
