#pragma once
/// Names of the states and effects of link_pair.hpp.
#include "protocol/rules/fields/field.hpp"
#include "protocol/rules/link_pair.hpp"

namespace floe::rule_fields {

constexpr auto fields_of(of<pair_status>) {
  return event("status", field("now", &pair_status::now), field("out", &pair_status::out),
               field("in", &pair_status::in), field("aside", &pair_status::aside),
               field("recognisable", &pair_status::recognisable),
               field("doubt", &pair_status::doubt));
}
constexpr auto fields_of(of<pair_step>) {
  using e = pair_step;
  return event("step", field("close_out", &e::close_out), field("close_in", &e::close_in),
               field("open", &e::open), field("open_later", &e::open_later),
               field("long_pause", &e::long_pause), field("take_in", &e::take_in),
               field("greet", &e::greet), field("put_aside", &e::put_aside),
               field("take_aside", &e::take_aside), field("close_aside", &e::close_aside),
               field("doubts", &e::doubts), field("down", &e::down), field("up", &e::up),
               field("relinked", &e::relinked));
}
constexpr auto names_of(of<pair_status::phase>) { return names("apart", "greeting", "connected"); }
constexpr auto names_of(of<out_state>) { return names("none", "opening", "up"); }
constexpr auto names_of(of<pair_event>) {
  return names("open", "out_up", "out_lost", "accepted", "in_lost", "greeted", "greeted_ctdbd",
               "greeted_again", "refused", "broken", "violated", "out_refused", "aside_lost",
               "lives", "doubt_over");
}

}  // namespace floe::rule_fields
