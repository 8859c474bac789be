#pragma once
/// The allocator keeps what has been freed, because recoveries need large buffers again and again. What one client made this
/// node take is given back when it has gone, and once more when what it left has been forgotten (vacuuming).
#include "actors/runtime/event_loop.hpp"

namespace floe {

class spare_memory {
 public:
  explicit spare_memory(const event_loop& loop) : loop_(loop) {}

  /// Once a second; `large_one_left`: a client that had much has gone since the last time.
  void tick(bool large_one_left);

 private:
  const event_loop& loop_;
  time_point give_back_at_{};  ///< for the next of `times_left_`
  unsigned times_left_ = 0;
};

}  // namespace floe
