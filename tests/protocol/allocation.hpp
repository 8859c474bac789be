#pragma once
/// Counts what operator new hands out, to prove that input cannot make us allocate more than it is
/// worth.
#include <cstddef>

struct allocation_count {
  std::size_t calls = 0;
  std::size_t total = 0;  ///< bytes asked for
  std::size_t peak = 0;   ///< most bytes held at a time, beyond what was held at the start
};

/// Counts from its construction on, on this thread only; one at a time.
class allocation_watch {
 public:
  allocation_watch();
  ~allocation_watch();
  allocation_watch(const allocation_watch&) = delete;
  allocation_watch& operator=(const allocation_watch&) = delete;
  allocation_count so_far() const;
};
