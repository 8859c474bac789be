#pragma once
/// How far a sweep is: one line on standard error that is redrawn, on a terminal only.
#include <chrono>
#include <cstddef>
#include <string>

namespace floe::cli::drill {

class sweep_bar {
 public:
  sweep_bar(bool wanted, std::size_t all);
  ~sweep_bar() { clear(); }
  sweep_bar(const sweep_bar&) = delete;
  /// Makes room for lines of text; the next step draws it again.
  void clear();
  void step(bool failed);

 private:
  bool on_;
  std::size_t all_, done_ = 0, failed_ = 0;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

/// "12.5/s, 34 s left", after so many of `all` in so many seconds; empty if it is too early to
/// tell.
std::string pace_text(std::size_t done, std::size_t all, double seconds);

}  // namespace floe::cli::drill
