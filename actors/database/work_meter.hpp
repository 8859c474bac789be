#pragma once
/// What one database costs its node: processor time, and bytes of its records that come, go and are stored.
///
/// The processor time of a thread is told by a call of the system, which costs more than many a turn; so it is asked for in one
/// turn of sixteen. How long all turns took is known from a clock that costs nearly nothing, and those sixteenths tell in
/// which part of that time the thread had a processor. In a simulation no time passes in a turn, and none is measured.
#include <chrono>
#include <cstdint>

#include "protocol/rules/time.hpp"

namespace floe {

/// Of the calling thread, since it began.
duration processor_time();

/// What that costs the calling thread.
template <class Work>
duration processor_time_of(Work&& work) {
  const auto before = processor_time();
  work();
  return processor_time() - before;
}

class work_meter {
 public:
  explicit work_meter(bool measures) : measures_(measures) {}

  /// Measures from here to its end. One within another counts with that.
  class turn {
   public:
    explicit turn(work_meter& m) : meter_(m), outermost_(m.begin()) {}
    ~turn() {
      if (outermost_) meter_.end();
    }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;

   private:
    work_meter& meter_;
    bool outermost_;
  };

  /// On another thread, for this database.
  void worked_elsewhere(duration d) {
    if (measures_) elsewhere_ += d;
  }
  void received(std::uint64_t n) { received_ += n; }
  void sent(std::uint64_t n) { sent_ += n; }
  void stored(std::uint64_t n) { stored_ += n; }

  duration worked() const;
  std::uint64_t received() const { return received_; }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t stored() const { return stored_; }
  void reset();

 private:
  static constexpr unsigned one_in = 16;
  bool begin();
  void end();

  bool measures_;
  bool in_turn_ = false;
  unsigned turns_ = 0;
  std::chrono::steady_clock::time_point began_{};
  duration processor_began_{0};
  duration took_{0};                            ///< all turns
  duration sample_took_{0}, sample_worked_{0};  ///< those that were looked at
  duration elsewhere_{0};
  std::uint64_t received_ = 0, sent_ = 0, stored_ = 0;
};

}  // namespace floe
