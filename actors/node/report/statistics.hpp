#pragma once
/// The STATISTICS of a node: its counters in CTDB's form, and what each interval of the past added to them.
#include <cstdint>
#include <deque>

#include "actors/control_call.hpp"
#include "actors/node/membership/lock_tests.hpp"
#include "actors/node/node_port.hpp"
#include "actors/node/registry/registry.hpp"
#include "protocol/types/statistics.hpp"

namespace floe {

/// What the process holds in memory.
std::uint64_t resident_bytes();

class statistics_keeper {
 public:
  statistics_keeper(node_port& port, const registry& databases, lock_tests& locks)
      : port_(port), databases_(databases), locks_(locks), since_us_(port.env.loop.wall_us()) {}

  /// Ends an interval of the history each StatHistoryInterval.
  void tick();

  void statistics(const answer_to<control::statistics>&) const;
  outcome_of<control::statistics_reset> reset();
  outcome_of<control::get_stat_history> history() const;

 private:
  floe::statistics now() const;
  void begin_interval(const floe::statistics& from);

  node_port& port_;
  const registry& databases_;
  lock_tests& locks_;
  std::int64_t since_us_;
  std::deque<floe::statistics> history_;  ///< newest first
  floe::statistics interval_begin_;
  time_point interval_end_;
};

}  // namespace floe
