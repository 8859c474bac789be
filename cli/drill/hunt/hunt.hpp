#pragma once
/// Writes drills, plays them, and keeps those that show something new to make others of them. Failures
/// are told apart, made smaller and handed out.
///
/// Drills are written in groups of a fixed size, each from the seed of the hunt and its own number, and
/// what a group has shown is taken in by the order of the numbers: what is found depends on the seed and
/// the number of drills, not on how many are played at a time.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/drill/hunt/hunted_drill.hpp"
#include "cli/drill/run/play.hpp"

namespace floe::cli::drill {

struct hunt_options {
  std::uint64_t seed = 1;
  std::size_t drills = 1000;  ///< ends after so many
  double minutes = 0;         ///< or, if not 0, with the first group that ends after this time
  std::size_t jobs = 1;
  hunt_scope scope = hunt_scope::all;
  bool shipped = true;       ///< begin with changes of the shipped drills, too
  bool shrink = true;        ///< failures are made smaller
  std::size_t failures = 0;  ///< ends with the group in which so many kinds were found; 0: goes on
};

/// Failures of one kind: broken at the same check, after the same last events.
struct hunt_failure {
  std::string failed_at;  ///< as verdict::failed_at, or the reason if the program broke
  std::string last_events;
  std::string reason;  ///< of the drill that stands here
  std::string text;    ///< of a drill file, its seed in it
  std::uint64_t seed = 1;
  std::size_t drill = 0;  ///< the number of the first that failed so
  std::size_t times = 1;
  std::size_t lines = 0;
  bool smaller = false;  ///< it has been made smaller
};

struct hunt_progress {
  std::size_t drills = 0, pairs = 0, pool = 0, failures = 0, kinds = 0;
  double virtual_s = 0;
  std::string doing;  ///< besides playing: "making a failure smaller"
};
struct hunt_listeners {
  std::function<void(const hunt_progress&)> progress;
  std::function<void(const hunt_failure&)> found;  ///< of each kind once
};
struct hunt_result {
  hunt_progress end;
  std::vector<hunt_failure> failures;  ///< in the order in which they were found
  bool interrupted = false;
};

hunt_result hunt(const hunt_options&, const hunt_listeners&);

}  // namespace floe::cli::drill
