#include "actors/database/work_meter.hpp"

#include <algorithm>
#include <ctime>

namespace floe {

duration processor_time() {
  timespec t{};
  if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0) return duration{0};
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

bool work_meter::begin() {
  if (!measures_ || in_turn_) return false;
  in_turn_ = true;
  if (turns_ % one_in == 0) processor_began_ = processor_time();
  began_ = std::chrono::steady_clock::now();
  return true;
}

void work_meter::end() {
  in_turn_ = false;
  const auto took = std::chrono::steady_clock::now() - began_;
  took_ += took;
  if (turns_++ % one_in != 0) return;
  sample_took_ += took;
  sample_worked_ += processor_time() - processor_began_;
}

duration work_meter::worked() const {
  if (sample_took_ <= duration{0}) return elsewhere_;
  const double part = std::chrono::duration<double>(sample_worked_) / sample_took_;
  return elsewhere_ + std::chrono::duration_cast<duration>(std::min(part, 1.0) * took_);
}

void work_meter::reset() {
  took_ = sample_took_ = sample_worked_ = elsewhere_ = duration{0};
  received_ = sent_ = stored_ = 0;
}

}  // namespace floe
