#pragma once
/// What the vacuuming of one database (vacuuming.hpp) has to do and has done.
#include <deque>
#include <unordered_set>

#include "actors/counters.hpp"
#include "actors/replier.hpp"
#include "protocol/rules/vacuum.hpp"
#include "storage/store.hpp"

namespace floe {

/// Tunables that a database looks at, as CTDB has them.
struct vacuum_settings {
  duration interval{std::chrono::seconds(10)};       ///< VacuumInterval; 0: only on request
  duration max_run_time{std::chrono::seconds(120)};  ///< VacuumMaxRunTime
  std::uint32_t fast_path_count = 60;  ///< VacuumFastPathCount; 0: no run looks at all records
  std::uint32_t repack_limit =
      10'000;  ///< RepackLimit: deletions after which the file is written anew; 0: never
  bool operator==(const vacuum_settings&) const = default;
};

/// What all other nodes are asked for, one after the other.
enum class vacuum_stage : std::uint8_t {
  replacing,  ///< their older copies by empty ones
  dropping,   ///< these
};

struct vacuum_work {
  vacuum_settings settings;
  std::uint64_t clock = 0;  ///< of the timers that count

  deletion_queue deleted;                ///< deleted here
  deletion_queue home;                   ///< came here to be forgotten
  std::deque<bytes> to_fetch;            ///< VACUUM_FETCH: to be brought here
  std::unordered_set<bytes> fetch_keys;  ///< of to_fetch and those on their way
  std::size_t to_fetch_bytes = 0;        ///< of keys

  std::size_t queue_bytes() const {
    return deleted.size_bytes() + home.size_bytes() + to_fetch_bytes;
  }

  bool running = false;
  bool soon = false;  ///< a run for homecomers is planned
  std::uint64_t run = 0;
  time_point since;
  std::size_t left =
      0;  ///< of `deleted`, in this run: what was deleted since it began has to wait for the next
  std::optional<scan_position> look_at;  ///< a full run: so far it has looked for empty records
  std::vector<offered_deletion> to_offer;
  agreed_deletion offered;
  vacuum_stage stage{};                      ///< of what is offered
  std::vector<deletion_queue::entry> again;  ///< in the next run
  std::vector<replier> waiting;              ///< for the end of the run
  std::uint32_t runs_since_full = 0;
  scan_position full_from;  ///< where a full run begins: the one before had no room for more
  bool full_due = false;    ///< after a recovery nobody knows what is in the queue and what not
  std::uint64_t forgotten_in_run = 0;

  std::uint64_t runs = 0, forgotten = 0, sent_home = 0, refused = 0, since_compaction = 0,
                compactions = 0, left_out = 0;
  double last_run_seconds = 0;
  std::uint64_t last_run_forgotten = 0;
  latency_counter run_latency;
};

}  // namespace floe
