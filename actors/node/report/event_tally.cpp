#include "actors/node/report/event_tally.hpp"

#include <algorithm>

#include "actors/events.hpp"
#include "protocol/recovery_mode.hpp"
#include "protocol/rules/freeze.hpp"

namespace floe {
namespace {

double seconds(std::int64_t from_us, std::int64_t to_us) {
  return static_cast<double>(std::max<std::int64_t>(0, to_us - from_us)) / 1e6;
}

}  // namespace

/// What has not happened yet is 0 and not unknown: rates begin with the first of its kind.
event_tally::numbers event_tally::none_of_any_cause() {
  numbers all;
  for (auto r = recovery_reason::unfinished; r <= last_recovery_reason;
       r = recovery_reason{static_cast<std::uint8_t>(std::to_underlying(r) + 1)})
    all.emplace(name(r), 0);
  return all;
}

void event_tally::saw(const timeline_event& e) {
  const auto& line = e.line;
  if (const auto phase = as<event::recovery_phase>(line)) {
    const auto key = std::pair(std::string(phase->db), phase->run);
    if (const auto since = phase_since_.find(key); since != phase_since_.end())
      all_.phase_seconds[std::string(phase->from)] += seconds(since->second, e.wall_us);
    phase_since_[key] = e.wall_us;
  } else if (const auto state = as<event::freeze_state>(line)) {
    const auto thawed = name(freeze_state::thawed);
    const auto db = std::string(state->db);
    if (const auto since = frozen_since_.find(db); since != frozen_since_.end()) {
      all_.frozen_seconds[db] += seconds(since->second, e.wall_us);
      frozen_since_.erase(since);
    }
    if (state->to != thawed) frozen_since_[db] = e.wall_us;
  } else if (const auto mode = as<event::recovery_mode>(line)) {
    if (active_since_ != 0) all_.active_seconds += seconds(active_since_, e.wall_us);
    active_since_ = mode->to == name(recovery_mode::active) ? e.wall_us : 0;
  } else if (const auto ended = as<event::recovery_ended>(line)) {
    ++all_.recoveries_led[ended->good ? "good" : "failed"];
    std::erase_if(phase_since_, [&](const auto& p) { return p.first.second == ended->run; });
  } else if (as<event::leader>(line)) {
    ++all_.leader_changes;
  } else if (const auto lost = as<event::node_down>(line)) {
    ++all_.nodes_lost[std::to_string(number(lost->pnn))];
  } else if (const auto ban = as<event::banned>(line)) {
    ++all_.bans[std::string(ban->cause)];
  }
}

}  // namespace floe
