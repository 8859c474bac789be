#pragma once
/// Names of the events and effects of leader_watch.hpp.
#include "protocol/rules/fields/field.hpp"
#include "protocol/rules/leader_watch.hpp"

namespace floe::rule_fields {

constexpr auto fields_of(of<watch_event::office_won>) { return event("office_won"); }
constexpr auto fields_of(of<watch_event::office_lost>) { return event("office_lost"); }
constexpr auto fields_of(of<watch_event::came>) { return event("came"); }
constexpr auto fields_of(of<watch_event::lost_member>) {
  return event("lost_member", field("node", &watch_event::lost_member::node));
}
constexpr auto fields_of(of<watch_event::gone>) {
  return event("gone", field("node", &watch_event::gone::node));
}
constexpr auto fields_of(of<watch_event::wanted>) {
  return event("wanted", field("why", &watch_event::wanted::why));
}
constexpr auto fields_of(of<watch_event::part>) {
  using e = watch_event::part;
  return event("part", field("verdict", &e::verdict), field("wait", &e::wait));
}
constexpr auto fields_of(of<watch_event::stirred>) { return event("stirred"); }
/// What the nodes have said is written below the verb `look`, a line each.
constexpr auto fields_of(of<watch_event::looked>) {
  return event("looked", field("round", &watch_event::looked::round));
}
constexpr auto fields_of(of<watch_event::weighed>) {
  using e = watch_event::weighed;
  return event("weighed", field("weighing", &e::weighing), field("filled_first", &e::filled_first));
}
constexpr auto fields_of(of<watch_event::charged>) { return event("charged"); }
constexpr auto fields_of(of<watch_event::recovery_ended>) {
  using e = watch_event::recovery_ended;
  return event("recovery_ended", field("epoch", &e::epoch), field("good", &e::good));
}
constexpr auto fields_of(of<watch_event::member_unfit>) {
  return event("member_unfit", field("node", &watch_event::member_unfit::node));
}
constexpr auto fields_of(of<watch_event::contradicted>) { return event("contradicted"); }
constexpr auto fields_of(of<watch_event::paused>) { return event("paused"); }
constexpr auto fields_of(of<watch_event::resumed>) { return event("resumed"); }
constexpr auto fields_of(of<watch_event::ban_began>) {
  return event("ban_began", field("node", &watch_event::ban_began::node));
}
constexpr auto fields_of(of<watch_event::ban_ended>) {
  return event("ban_ended", field("node", &watch_event::ban_ended::node));
}
constexpr auto fields_of(of<watch_event::woke>) {
  return event("woke", field("why", &watch_event::woke::why));
}

constexpr auto fields_of(of<watch_effect::poll>) {
  return event("poll", field("round", &watch_effect::poll::round));
}
constexpr auto fields_of(of<watch_effect::align_flags>) { return event("align_flags"); }
constexpr auto fields_of(of<watch_effect::weigh>) {
  using e = watch_effect::weigh;
  return event("weigh", field("weighing", &e::weighing), field("nodes", &e::nodes));
}
constexpr auto fields_of(of<watch_effect::charge>) {
  using e = watch_effect::charge;
  return event("charge", field("node", &e::node), field("reason", &e::reason),
               field("detail", &e::detail));
}
constexpr auto fields_of(of<watch_effect::recover>) {
  using e = watch_effect::recover;
  return event("recover", field("epoch", &e::epoch), field("why", &e::why));
}
constexpr auto fields_of(of<watch_effect::stop_recovery>) { return event("stop_recovery"); }
constexpr auto fields_of(of<watch_effect::succeeded>) { return event("succeeded"); }
constexpr auto fields_of(of<watch_effect::blame>) { return event("blame"); }
constexpr auto fields_of(of<watch_effect::wake>) {
  using e = watch_effect::wake;
  return event("wake", field("why", &e::why), field("after", &e::after),
               field("failures", &e::failures));
}
constexpr auto last_of(of<part_verdict::kind>) { return part_verdict::kind::too_small; }
constexpr auto names_of(of<watch_alarm>) { return names("look_again", "rested"); }
constexpr auto last_of(of<watch_state>) { return watch_state::stopping; }
constexpr auto last_of(of<recovery_reason>) { return last_recovery_reason; }

}  // namespace floe::rule_fields
