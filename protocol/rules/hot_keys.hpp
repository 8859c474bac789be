#pragma once
/// Which records of a database travel most: a top-k sketch (space-saving, with counts that halve every ten seconds), so
/// that memory and time do not depend on how many keys there are. A key that makes up more than 1/capacity of all
/// journeys is never missing; its count is too high by at most the count of what it took the place of.
///
/// ctdbd keeps the largest counts of one-second windows (Samba ctdb/server/ctdb_call.c, ctdb_update_db_stat_hot_keys);
/// what is told here is the present rate.
#include <cstddef>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/rules/time.hpp"

namespace floe {

struct hot_record {
  bytes key;
  double rate = 0;         ///< journeys per second
  std::uint32_t hops = 0;  ///< the most that a request for it has made
};

class hot_keys {
 public:
  static constexpr std::size_t capacity = 64;
  static constexpr duration half_life{std::chrono::seconds(10)};

  void count(byte_view key, time_point now, std::uint32_t hops = 0);
  /// Those with at least one journey in a while, hottest first; of equal ones by key.
  std::vector<hot_record> top(std::size_t most, time_point now) const;
  void clear() { entries_.clear(); }

 private:
  struct entry {
    bytes key;
    double weight;  ///< at `at`
    time_point at;
    std::uint32_t hops;
    double weight_at(time_point now) const;
  };
  std::vector<entry> entries_;
};

}  // namespace floe
