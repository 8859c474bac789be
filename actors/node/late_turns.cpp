#include "actors/node/late_turns.hpp"

#include <algorithm>
#include <chrono>

#include "actors/events.hpp"
#include "actors/runtime/turn_watch.hpp"
#include "protocol/controls.hpp"

namespace floe {

void watch_turns(node_port& port) {
  constexpr auto limit = std::chrono::milliseconds(50);
  turn_watch::here().observe(
      limit, [&port](const std::string& what, duration took, duration worked) {
        using milliseconds = std::chrono::duration<double, std::milli>;
        const double ms = milliseconds(took).count(), work = milliseconds(worked).count();
        auto& turns = port.limits.turns;
        ++turns.late;
        if (ms > turns.longest_ms) {
          turns.longest_ms = ms;
          turns.longest_was = what;
        }
        turns.most_work_ms = std::max(turns.most_work_ms, work);
        port.env.log.tell(event::turn_late{.ms = static_cast<std::uint64_t>(ms),
                                           .work_ms = static_cast<std::uint64_t>(work),
                                           .what = what});
      });
}

void ignore_turns() { turn_watch::here().observe({}, nullptr); }

void say_turn(std::string_view kind, const packet& p) {
  const auto* c = std::get_if<req_control>(&p.body);
  if (c)
    return turn_watch::here().at(kind, number(c->opcode),
                                 [](std::uint32_t n) { return control_name(control{n}); });
  turn_watch::here().at(kind);
}

}  // namespace floe
