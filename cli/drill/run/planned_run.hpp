#pragma once
/// One run as it was asked for: the drill, the seed, and what is to be written of it.
#include <cstdint>
#include <string>

#include "cli/drill/report/live_follower.hpp"
#include "cli/drill/run/play.hpp"
#include "cli/drill/testbed/testbed_choice.hpp"

namespace floe::cli::drill {

/// Names of files; empty: not wanted.
struct wanted_files {
  std::string report, perfetto, record;
  bool only_of_a_failure = false;
  bool any() const { return !report.empty() || !perfetto.empty() || !record.empty(); }
};

struct planned_run {
  const script* drill = nullptr;
  std::uint64_t seed = 1;
  std::string trace{};    ///< file; empty: none
  wanted_files files{};   ///< written when the run is over
  testbed_choice on{};    ///< simulation, or real processes
  bool measured = false;  ///< its verdict tells when databases were not available
  following follow = following::nothing;
  /// Told in words while it is played, with its timeline at the end; `silent`: only in its verdict.
  enum class narration : std::uint8_t { none, silent, spoken } narrated = narration::none;
  bool hunted = false;  ///< its verdict tells what it has shown
};

/// What becomes of a simulated cluster when there is a verdict. Ended node by node, database by database, it takes a tenth of
/// a short run; the process that ends next has no use for that.
enum class afterwards : std::uint8_t { taken_apart, left_as_it_is };

/// Plays it here, and writes what is to be written. What cannot be written breaks the verdict.
verdict play_planned(const planned_run&, afterwards = afterwards::taken_apart);

}  // namespace floe::cli::drill
