#pragma once
/// What clients asked for and were told, and which nodes were disturbed when: all that the checkers
/// know. Times are microseconds of the drill's own time.
///
/// An operation has one of three ends. `done`: it happened. `refused`: it did not. `unknown`: the
/// connection broke, or nobody answered; it may have happened, or happen later.
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace floe::cli::drill {

using time_us = std::int64_t;
constexpr time_us never = std::numeric_limits<time_us>::max();

enum class op_kind : std::uint8_t {
  lock,     ///< sees the record when granted
  read,     ///< sees the record
  store,    ///< under a lock
  erase,    ///< under a lock
  unlock,
};
enum class op_end : std::uint8_t { open, done, refused, unknown };

struct operation {
  op_kind kind = op_kind::lock;
  std::string client;
  std::size_t node = 0;
  std::string db, key;
  std::string value;         ///< stored, or seen; empty: no such record
  std::uint64_t rsn = 0;     ///< seen
  std::size_t under = 0;     ///< store, erase, unlock: index of the lock
  time_us begin = 0, end = never;
  op_end result = op_end::open;
  std::string error;
  bool final_look = false;   ///< made by the checks after the drill, on every node
};

/// A lock, from the moment its holder knew to the moment it asked for its end (or lost its node).
struct holding {
  std::size_t lock = 0;  ///< the operation
  time_us from = 0, to = never;
};

/// From the first harm done to a node until the cluster was whole again with it.
struct disturbance {
  std::size_t node = 0;
  time_us from = 0, to = never;
  std::string what;
  bool flaky = false;  ///< not cut off all the time: packets may have come through
};

class history {
 public:
  std::vector<operation> ops;
  std::map<std::size_t, holding> holdings;  ///< by lock
  std::vector<disturbance> disturbances;

  std::size_t begin(operation o) {
    ops.push_back(std::move(o));
    return ops.size() - 1;
  }
  bool disturbed(std::size_t node, time_us from, time_us to = never) const {
    for (const auto& d : disturbances)
      if (d.node == node && d.to >= from && d.from <= to) return true;
    return false;
  }
  void disturb(std::size_t node, time_us now, std::string what, bool flaky = false) {
    disturbances.push_back({node, now, never, std::move(what), flaky});
  }
  /// The cluster is whole: what was cured before has no further consequences.
  void calm(std::size_t node, time_us now) {
    for (auto& d : disturbances)
      if (d.node == node && d.to == never) d.to = now;
  }
};

}  // namespace floe::cli::drill
