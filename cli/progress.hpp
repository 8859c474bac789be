#pragma once
/// A line on standard error that says how far something is; on a terminal only, from the first second on, and gone at the
/// end.
#include <chrono>
#include <cstdint>
#include <string>

namespace floe::cli {

/// Of this kind and of others (waiting_line.hpp): how many there are that say more than that something lasts.
inline int lines_on_terminal = 0;

class progress_line {
 public:
  /// `total` 0: not known.
  progress_line(std::string what, std::uint64_t total, bool wanted);
  ~progress_line();
  progress_line(const progress_line&) = delete;
  void show(std::uint64_t now);

 private:
  std::string what_;
  std::uint64_t total_;
  bool wanted_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace floe::cli
