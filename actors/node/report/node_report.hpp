#pragma once
/// What a node tells about itself as JSON, behind `floe status`, `floe locks` and `floe timeline`. Pure: a snapshot
/// goes in, text comes out. Times in microseconds since 1970, ages in milliseconds.
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/cluster_view.hpp"
#include "actors/database/database_message.hpp"
#include "actors/node/membership/bans.hpp"
#include "actors/node/membership/lock_tests.hpp"
#include "actors/timeline.hpp"

namespace floe {

struct status_snapshot {
  view_ptr view;
  std::string address;
  std::int64_t mode_age_ms = 0, started_us = 0, now_us = 0;
  std::size_t clients = 0;
  std::uint32_t num_recoveries = 0;
  std::string recovery;  ///< JSON of the leader's recovery; empty: none runs
  cluster_lock_report lock;
  std::vector<std::string> warnings;
  std::optional<bans::ban> ban;
};

/// Names of processes are not always UTF-8: what is not is replaced.
std::string status_json(const status_snapshot&, const std::vector<database_report>&);
std::string locks_json(pnn self, const std::vector<database_report>&);
/// `options`: {"since_us": N} or nothing.
std::string timeline_json(pnn self, const std::deque<timeline_event>&, byte_view options,
                          const std::function<std::string(db_id)>& name_of);

}  // namespace floe
