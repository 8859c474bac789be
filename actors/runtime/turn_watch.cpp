#include "actors/runtime/turn_watch.hpp"

#include <time.h>

#include <algorithm>

namespace floe {

duration turn_watch::processor_time() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

turn_watch& turn_watch::here() {
  thread_local turn_watch watch;
  return watch;
}

void turn_watch::tell(std::string_view whose, duration took) const {
  std::string what(whose);
  if (!doing_.what.empty()) what.append(": ").append(doing_.what);
  if (doing_.name_of != nullptr) what.append(" ").append(doing_.name_of(doing_.number));
  observer_(what, took, std::min(took, processor_time() - worked_before_));
}

}  // namespace floe
