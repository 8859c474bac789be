#pragma once
/// How far a sweep is: one line on standard error that is redrawn, on a terminal only.
#include <cstddef>

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
};

}  // namespace floe::cli::drill
