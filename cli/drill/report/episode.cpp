#include "cli/drill/report/episode.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "actors/events.hpp"
#include "protocol/ids.hpp"
#include "protocol/recovery_mode.hpp"

namespace floe::cli::drill {
namespace {

/// When the recovery that began after `from` was over on all nodes; the end of the run, if it never was.
std::int64_t over_after(const std::vector<timed_event>& events, std::int64_t from,
                        std::int64_t end) {
  std::set<pnn> active;
  for (const auto& e : events) {
    const auto mode = as<event::recovery_mode>(e.line);
    if (!mode || e.t_us < from) continue;
    if (mode->to == name(recovery_mode::active))
      active.insert(e.node);
    else if (active.erase(e.node) > 0 && active.empty())
      return e.t_us;
  }
  return end;
}

}  // namespace

timeline_picture episode_of(const run_record& r) {
  const auto& all = r.picture;
  const auto first = std::ranges::min_element(r.faults, {}, &run_fault::from_us);
  timeline_picture p;
  if (first == r.faults.end()) {
    p = make_picture(all.events, 0, all.to_us);
  } else {
    const auto over = over_after(all.events, first->from_us, all.to_us);
    constexpr std::int64_t before = 1000;  // what the drill did right before it is another matter
    const auto room = (over - first->from_us) / 20 + before;
    auto events = all.events;
    std::erase_if(events, [&](const timed_event& e) { return e.t_us > over + room; });
    p = make_picture(events, std::max<std::int64_t>(1, first->from_us - before), over + room);
  }
  p.clock = timeline_picture::counts::from_the_start;
  return p;
}

}  // namespace floe::cli::drill
