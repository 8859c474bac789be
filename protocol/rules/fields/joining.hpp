#pragma once
/// Names of the events and effects of joining.hpp.
#include "protocol/rules/fields/field.hpp"
#include "protocol/rules/joining.hpp"

namespace floe::rule_fields {

constexpr auto fields_of(of<joining_event::asked>) {
  using e = joining_event::asked;
  return event("asked", field("leader", &e::leader), field("databases", &e::databases));
}
constexpr auto fields_of(of<joining_event::came>) {
  using e = joining_event::came;
  return event("came", field("fill", &e::fill), field("what", &e::what), field("why", &e::why));
}
constexpr auto fields_of(of<joining_event::leader_is>) {
  return event("leader_is", field("leader", &joining_event::leader_is::leader));
}
constexpr auto fields_of(of<joining_event::woke>) {
  return event("woke", field("fill", &joining_event::woke::fill));
}
constexpr auto fields_of(of<joining_event::ticked>) { return event("ticked"); }
constexpr auto fields_of(of<joining_event::left>) { return event("left"); }
constexpr auto fields_of(of<joining_event::needed>) {
  return event("needed", field("why", &joining_event::needed::why));
}
constexpr auto fields_of(of<joining_event::taken_in>) { return event("taken_in"); }

constexpr auto fields_of(of<joining_effect::leave>) { return event("leave"); }
constexpr auto fields_of(of<joining_effect::fill>) {
  using e = joining_effect::fill;
  return event("fill", field("fill", &e::fill), field("db", &e::db), field("from", &e::from),
               field("anew", &e::anew));
}
constexpr auto fields_of(of<joining_effect::rest>) {
  using e = joining_effect::rest;
  return event("rest", field("fill", &e::fill), field("after", &e::after));
}
constexpr auto fields_of(of<joining_effect::ready>) {
  using e = joining_effect::ready;
  return event("ready", field("full", &e::full), field("why", &e::why));
}
constexpr auto names_of(of<fill_end>) {
  return names("part", "full", "unknown", "refused", "gone");
}
constexpr auto last_of(of<joining_state>) { return joining_state::resting; }

}  // namespace floe::rule_fields
