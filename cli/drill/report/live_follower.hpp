#pragma once
/// How a run is followed on standard error while it is played: as a picture that is redrawn in
/// place, at most ten times a second and only if the run lasts long enough to be looked at; or as
/// lines, one for each statement of the script.
///
/// The cursor rests at the picture's first line, so that whatever is printed next takes its place.
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "cli/drill/report/live_board.hpp"

namespace floe::cli::drill {

class drill_run;

enum class following : std::uint8_t { nothing, picture, lines };

class live_follower {
 public:
  live_follower(following, const std::string& drill, std::uint64_t seed, std::size_t nodes);
  ~live_follower();
  live_follower(const live_follower&) = delete;
  /// Of the trace.
  void line(const std::string&);
  void begin(drill_run&);
  void end();

  /// Removes what is left of a picture.
  static void clear_terminal();

 private:
  using clock = std::chrono::steady_clock;
  void draw();
  void draw_again_later();

  following how_;
  live_board board_;
  drill_run* run_ = nullptr;
  clock::time_point next_;
  bool drawn_ = false;
  /// Timers that come when we are gone find it empty.
  std::shared_ptr<live_follower*> self_;
};

}  // namespace floe::cli::drill
