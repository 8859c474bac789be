#include "actors/node/tunables.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/events.hpp"
#include "protocol/tunable_effects.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/tunable_value.hpp"

namespace floe {
namespace {

/// Not a tunable with that name: what ctdbd answers (EINVAL).
constexpr std::int64_t no_such_tunable = -22;
constexpr std::int64_t tunable_is_obsolete = 1;
/// What one turn sends to a client waits for its end, where ctdbd writes at once: fewer do not show that it does not read.
constexpr std::uint32_t packets_of_turn = 100;

}  // namespace

outcome_of<control::list_tunables> tunable_controls::list() const {
  static const bytes names = tunable_names();
  return reply_of<control::list_tunables>{.list = names};
}

outcome_of<control::get_tunable> tunable_controls::get(
    const request_of<control::get_tunable>& r) const {
  const auto value = port_.tunables.get(r.name);
  if (!value) return status_of(no_such_tunable);
  return *value;
}

outcome_of<control::set_tunable> tunable_controls::set(const request_of<control::set_tunable>& r) {
  const auto* info = find_tunable(r.name);
  if (!info) return refuse("no such tunable");
  port_.tunables.set(r.name, r.value);
  port_.env.log.tell(event::tunable_set{.name = info->name, .value = r.value});
  tell_if_idle(info->which, r.value);
  apply();
  if (info->obsolete) return status_of(tunable_is_obsolete);
  return {};
}

outcome_of<control::get_all_tunables> tunable_controls::get_all() const { return port_.tunables; }

/// Obsolete ones, too: CTDB says so at start.
void tunable_controls::tell_if_idle(tunable t, std::uint32_t value) const {
  const auto& info = info_of(t);
  if (value == info.value) return;
  if (const auto why = why_without_effect(t); !why.empty())
    port_.env.log.tell(event::tunable_idle{.name = info.name, .why = bytes(why)});
}

void tunable_controls::tell_what_is_idle() const {
  for (const auto& info : all_tunables()) tell_if_idle(info.which, port_.tunables[info.which]);
}

void tunable_controls::apply() const {
  const auto& t = port_.tunables;
  const link_tune to_links{
      .keepalive = {.interval = std::chrono::seconds(std::max(1U, t[tunable::keepalive_interval])),
                    .limit = std::max(1U, t[tunable::keepalive_limit]),
                    .quick_interval = std::chrono::milliseconds(t[tunable::floe_keepalive_ms]),
                    .quick_limit = std::chrono::milliseconds(t[tunable::floe_keepalive_limit_ms])},
      .allow_mixed_versions = t[tunable::allow_mixed_versions] != 0};
  for (const auto& n : port_.view().nodes) n.link.tell(to_links);
  for (const auto& [id, d] : databases_.all()) {
    d.to.tell(databases_.holder_rules());
    d.to.tell(databases_.settings());
    d.to.tell(databases_.table_rules());
  }
  port_.leader.tell(leader_tunables{t});
  doors_.allow_queued(std::max(packets_of_turn, t[tunable::max_queue_depth_drop_msg]));
  port_.show_pulse();
}

}  // namespace floe
