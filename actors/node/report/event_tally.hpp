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

namespace floe {

class event_tally {
 public:
  using numbers = std::map<std::string, double>;

  void saw(const timeline_event&);

  struct totals {
    numbers recoveries_led{{"good", 0}, {"failed", 0}};
    numbers
        phase_seconds{};  ///< of recoveries that this node led, by phase, all databases together
    numbers frozen_seconds{};   ///< by database: not thawed
    double active_seconds = 0;  ///< in recovery mode ACTIVE
    std::uint64_t leader_changes = 0;
    numbers nodes_lost{};  ///< by number
    numbers bans{};        ///< of this node, by cause
  };
  const totals& all() const { return all_; }

 private:
  totals all_;
  std::map<std::string, std::int64_t> frozen_since_;  ///< by database
  std::map<std::pair<std::string, std::uint64_t>, std::int64_t>
      phase_since_;                ///< by database and run
  std::int64_t active_since_ = 0;  ///< 0: it is not
};

}  // namespace floe
