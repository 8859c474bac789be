#pragma once
/// What a node's events add up to since its start: recoveries and how long their phases took, how long databases were
/// frozen, who was lost, who was banned for what. Pure: events go in, in the order in which they are noted; feeds the metrics.
///
/// Times are those of the events, in microseconds since 1970; a clock that is set back counts as no time.
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "actors/event_line.hpp"
#include "protocol/rules/need_recovery.hpp"

namespace floe {

class event_tally {
 public:
  using numbers = std::map<std::string, double>;

  void saw(const timeline_event&);
  /// A recovery that this node led is over, well or not.
  void led(recovery_reason cause) { ++all_.recoveries_by_cause[std::string(name(cause))]; }

  struct totals {
    numbers recoveries_led{{"good", 0}, {"failed", 0}};
    numbers recoveries_by_cause = none_of_any_cause();  ///< the same
    /// Of recoveries that this node led, by phase, all databases together.
    numbers phase_seconds{};
    numbers frozen_seconds{};   ///< by database: not thawed
    double active_seconds = 0;  ///< in recovery mode ACTIVE
    std::uint64_t leader_changes = 0;
    numbers nodes_lost{};  ///< by number
    numbers bans{};        ///< of this node, by cause
  };
  const totals& all() const { return all_; }

 private:
  using phase_key = std::pair<std::string, std::uint64_t>;  ///< database and run

  static numbers none_of_any_cause();

  totals all_;
  std::map<std::string, std::int64_t> frozen_since_;  ///< by database
  std::map<phase_key, std::int64_t> phase_since_;
  std::int64_t active_since_ = 0;  ///< 0: it is not
};

}  // namespace floe
