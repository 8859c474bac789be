#pragma once
/// Reads what a node writes to its log, as it is written: lines of floe ("2026-11-22T15:02:25.502673
/// node 0 info text") with their own time, anybody else's with the time at which they were found.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "actors/log.hpp"

namespace floe::cli::drill {

class log_follower {
 public:
  using line_sink = std::function<void(std::int64_t wall_us, log_level, std::string_view text)>;

  log_follower(std::string path, bool of_floe) : path_(std::move(path)), of_floe_(of_floe) {}
  log_follower(log_follower&&) noexcept;
  ~log_follower();

  /// Everything that is new.
  void read(const line_sink&);

 private:
  void line(std::string_view, const line_sink&) const;

  std::string path_;
  bool of_floe_;
  int file_ = -1;
  std::string rest_;  ///< the beginning of a line
};

}  // namespace floe::cli::drill
