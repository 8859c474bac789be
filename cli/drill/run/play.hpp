#pragma once
/// One run of a drill, from its first line to its verdict.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/drill/language/script.hpp"
#include "cli/drill/report/narrator.hpp"
#include "cli/drill/report/run_record.hpp"
#include "cli/drill/testbed/testbed.hpp"

namespace floe::cli::drill {

struct checked {
  std::string checker;
  std::vector<std::string> broken;  ///< what breaks the promise; empty: it is kept
  std::size_t explained = 0;
  std::map<std::string, std::size_t>
      causes{};  ///< of explained ones: "node 1, killed at 2.407 s", and how often
};

/// Where a run has failed that no line of its script has: "check: kept writes".
std::string at_check(std::string_view name);
/// The name of the check, if it was one.
std::optional<std::string_view> check_in(std::string_view failed_at);

struct verdict {
  std::uint64_t seed = 0;
  bool held = false;
  std::string reason;  ///< of a failure: one line
  std::string
      failed_at;  ///< the line of the script, or at_check(); two failures there are of one kind
  std::vector<checked> checks;
  double virtual_ms = 0, real_ms = 0;
  std::size_t operations = 0;
  std::uint64_t writes = 0;  ///< acknowledged stores and deletions of all clients
  std::uint64_t losses = 0;  ///< explained ones
  std::uint64_t records_kept = 0, records_lost = 0;  ///< of nodes that came back, in recoveries
  double longest_wait_ms = 0;   ///< of a client for an answer, before the end of the drill
  std::string longest_wait;     ///< for what
  double longest_pause_ms = 0;  ///< of a database on a node that ran
  std::string longest_pause;
  std::vector<unavailability>
      unavailable;  ///< if it was measured: of each database, the worst first
  std::vector<run_fault> faults;
  std::vector<run_check> steps;     ///< if it was measured: what the script waited for and expected
  std::vector<std::string> circle;  ///< who waited for whom when a line failed, if in a circle
  std::vector<told_step> told;      ///< if it was narrated
  std::string timeline;             ///< the same: as JSON (timeline/picture.hpp)
  std::string kept;                 ///< where the nodes' files stay; empty: they are removed
  bool recorded = false;            ///< its files have been written
  std::vector<std::uint32_t> pairs;  ///< of a hunt: what it has shown (hunt/coverage.hpp)
  std::string last_events;           ///< of a hunt
};

class drill_run;
/// Where a run is told of while it is played.
struct listeners {
  std::function<void(const std::string& line)> trace = nullptr;
  std::function<void(drill_run&)> begin = nullptr;  ///< before the nodes are started
  std::function<void(drill_run&)> end = nullptr;    ///< after the last line
  /// What nodes log, and lines that were played, up to the last one of the script.
  std::function<void(std::size_t node, std::string_view line)> log = nullptr;
  std::function<void(const statement&)> played = nullptr;
  /// The last line has been played, or one has failed; the cluster is still as it was then.
  std::function<void(bool held)> over = nullptr;
  /// Gets the cluster and its clients when there is a verdict; else they are taken apart.
  std::function<void(std::unique_ptr<drill_run>)> keep = nullptr;
};

/// In simulation.
verdict play(const script&, std::uint64_t seed, listeners = {});
/// On this testbed.
verdict play(const script&, std::uint64_t seed, std::unique_ptr<testbed>, listeners = {});

}  // namespace floe::cli::drill
