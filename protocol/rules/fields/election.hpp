#pragma once
/// Names of the events and effects of election.hpp.
#include "protocol/rules/election.hpp"
#include "protocol/rules/fields/field.hpp"

namespace floe::rule_fields {

constexpr auto fields_of(of<vote>) {
  return event("vote", field("node", &vote::node), field("inactive", &vote::inactive),
               field("priority", &vote::priority), field("connected", &vote::connected));
}
constexpr auto fields_of(of<standing>) {
  return event("standing", field("can_lead", &standing::can_lead),
               field("inactive", &standing::inactive), field("priority", &standing::priority),
               field("connected", &standing::connected), field("only_floe", &standing::only_floe),
               field("outnumbered", &standing::outnumbered));
}
constexpr auto fields_of(of<election_event::start>) { return event("start"); }
constexpr auto fields_of(of<election_event::standing_changed>) {
  return event("standing_changed", field("now", &election_event::standing_changed::now));
}
constexpr auto fields_of(of<election_event::leader_heard>) {
  using e = election_event::leader_heard;
  return event("leader_heard", field("from", &e::from), field("leader", &e::leader),
               field("term", &e::term));
}
constexpr auto fields_of(of<election_event::vote_heard>) {
  return event("vote_heard", field("cast", &election_event::vote_heard::cast));
}
constexpr auto fields_of(of<election_event::node_gone>) {
  return event("node_gone", field("node", &election_event::node_gone::node));
}
constexpr auto fields_of(of<election_event::fired>) {
  return event("fired", field("timer", &election_event::fired::timer),
               field("serial", &election_event::fired::serial));
}
constexpr auto fields_of(of<election_event::term_heard>) {
  return event("term_heard", field("term", &election_event::term_heard::term),
               field("led", &election_event::term_heard::led));
}
constexpr auto fields_of(of<election_event::leader_elsewhere>) {
  using e = election_event::leader_elsewhere;
  return event("leader_elsewhere", field("from", &e::from), field("leader", &e::leader));
}
constexpr auto fields_of(of<election_event::lock_answered>) {
  return event("lock_answered", field("serial", &election_event::lock_answered::serial),
               field("outcome", &election_event::lock_answered::outcome));
}
constexpr auto fields_of(of<election_event::lock_lost>) {
  return event("lock_lost", field("serial", &election_event::lock_lost::serial));
}
constexpr auto fields_of(of<election_event::lock_released>) { return event("lock_released"); }

constexpr auto fields_of(of<election_effect::arm>) {
  using e = election_effect::arm;
  return event("arm", field("timer", &e::timer), field("after", &e::after),
               field("serial", &e::serial));
}
constexpr auto fields_of(of<election_effect::send_leader>) {
  return event("send_leader", field("leader", &election_effect::send_leader::leader),
               field("term", &election_effect::send_leader::term));
}
constexpr auto fields_of(of<election_effect::send_vote>) {
  return event("send_vote", field("cast", &election_effect::send_vote::cast));
}
constexpr auto fields_of(of<election_effect::leader_changed>) {
  return event("leader_changed", field("from", &election_effect::leader_changed::from),
               field("to", &election_effect::leader_changed::to));
}
constexpr auto fields_of(of<election_effect::send_term>) {
  using e = election_effect::send_term;
  return event("send_term", field("to", &e::to), field("term", &e::term), field("led", &e::led));
}
constexpr auto fields_of(of<election_effect::say_who_leads>) {
  using e = election_effect::say_who_leads;
  return event("say_who_leads", field("to", &e::to), field("leader", &e::leader));
}
constexpr auto fields_of(of<election_effect::take_lock>) {
  return event("take_lock", field("serial", &election_effect::take_lock::serial));
}
constexpr auto fields_of(of<election_effect::release_lock>) { return event("release_lock"); }
constexpr auto fields_of(of<election_effect::contradicted>) {
  return event("contradicted", field("by", &election_effect::contradicted::by));
}
constexpr auto last_of(of<election_state>) { return election_state::racing; }
constexpr auto names_of(of<election_timer>) {
  return names("broadcast", "leader_silent", "answer", "vote_end", "lock_again");
}
constexpr auto names_of(of<lock_outcome>) { return names("taken", "contended", "failed"); }

}  // namespace floe::rule_fields
