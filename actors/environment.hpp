#pragma once
/// What every actor of one node is given at birth: its loop, runtime, network, log and counters. Nothing global.
#include <optional>
#include <unordered_map>

#include "actors/counters.hpp"
#include "actors/log.hpp"
#include "actors/net/network.hpp"
#include "actors/runtime/actor.hpp"
#include "protocol/ids.hpp"

namespace floe {

/// Numbers for this node's requests to others: calls and controls share them, so that a late reply meets at most
/// one owner. They wrap after 2^31; 0 is none. Who keeps a request for long asks for a number that it does not use.
struct request_ids {
  static constexpr std::uint32_t highest = 0x7fffffff;
  std::uint32_t last = 0;
  std::unordered_map<std::uint32_t, db_id> open_of;  ///< which database waits for the answer
  reqid take() { return reqid{last = last >= highest ? 1 : last + 1}; }
  template <class InUse>
  reqid take_unless(InUse in_use) {
    for (;;)
      if (const reqid id = take(); !in_use(number(id))) return id;
  }
  /// For a request of a database: its answer is handed to that one alone.
  reqid take_for(db_id db) {
    const reqid id = take_unless([this](std::uint32_t n) { return open_of.contains(n); });
    open_of.emplace(number(id), db);
    return id;
  }
  void answered(reqid id) { open_of.erase(number(id)); }
  void forget_all_of(db_id db) {
    std::erase_if(open_of, [&](const auto& r) { return r.second == db; });
  }
  std::optional<db_id> asked_by(reqid id) const {
    const auto i = open_of.find(number(id));
    return i == open_of.end() ? std::nullopt : std::optional(i->second);
  }
};

class cluster_locks;
class file_checks;
class disk_faults;

struct node_environment {
  event_loop& loop;
  actor_runtime& actors;
  network& net;
  floe::log& log;
  counters& count;
  request_ids& ids;
  pnn self;
  file_checks* checks = nullptr;  ///< none: files of persistent databases are trusted
  cluster_locks* locks =
      nullptr;                  ///< none: a node that has no cluster lock configured can do without
  disk_faults* disk = nullptr;  ///< what simulated disks refuse; none in production
};

}  // namespace floe
