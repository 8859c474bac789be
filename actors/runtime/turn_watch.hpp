#pragma once
/// Who has kept the loop's one thread for too long: everything else of the node waits meanwhile. A turn is one message of
/// one actor, or one callback of a timer or socket. The thread of the loop has one watch; whoever wants to know of late
/// turns says so to it, and actors whose turns may be long say what they are at.
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "protocol/rules/time.hpp"

namespace floe {

class turn_watch {
 public:
  /// `worked` is how long the thread has had a processor, in this turn and those up to 10 ms before it: on a busy machine,
  /// or when the disk is slow, much less than `took`.
  using observer = std::function<void(const std::string& what, duration took, duration worked)>;

  /// Of the thread that calls.
  static turn_watch& here();

  void observe(duration limit, observer o) {
    limit_ = limit;
    observer_ = std::move(o);
  }
  /// What the present turn is about: a text that lives for ever, a number, and how people call the number.
  void at(std::string_view what, std::uint32_t n = 0,
          std::string (*name_of)(std::uint32_t) = nullptr) {
    doing_ = {what, n, name_of};
  }

  /// The loop has waited, and turns begin. The processor's time is asked for seldom: that is a call of the system.
  void woke(time_point now) {
    if (!observer_ || now - asked_ < ask_every) return;
    asked_ = now;
    worked_before_ = processor_time();
  }
  template <class Turn>
  void run(std::string_view whose, Turn&& turn) {
    if (!observer_) return turn();
    doing_ = {};
    const auto start = std::chrono::steady_clock::now();
    turn();
    const auto took = std::chrono::steady_clock::now() - start;
    if (took > limit_ && observer_) tell(whose, took);
  }

 private:
  void tell(std::string_view whose, duration took) const;
  static duration processor_time();

  static constexpr duration ask_every = std::chrono::milliseconds(10);
  time_point asked_{};
  duration worked_before_{0};
  duration limit_{0};
  observer observer_;
  struct {
    std::string_view what;
    std::uint32_t number = 0;
    std::string (*name_of)(std::uint32_t) = nullptr;
  } doing_;
};

}  // namespace floe
