#pragma once
/// Keeps a log readable when the same thing happens all the time: of each kind of event (the first word of a line) so
/// many lines a second are written, and equal lines once; the rest is counted and told afterwards.
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace floe {

class log_limit {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr unsigned lines_per_second = 20;  ///< of one kind
  static constexpr std::size_t most_kinds = 256;    ///< more share the last one

  /// Whether a line is to be written.
  bool admits(std::string_view line, time_point now);
  struct summary {
    std::string kind;
    std::uint64_t lines = 0;
    bool operator==(const summary&) const = default;
  };
  /// How many lines were left out, for each kind whose second is over; each is told once.
  std::vector<summary> left_out(time_point now);

 private:
  struct kind {
    time_point since;
    unsigned written = 0;
    std::uint64_t swallowed = 0;
    std::size_t last = 0;  ///< hash of the last line
  };
  std::map<std::string, kind, std::less<>> kinds_;
  time_point next_look_{};
};

}  // namespace floe
