#pragma once
/// Names of the events and effects of db_recovery.hpp.
#include "protocol/rules/db_recovery.hpp"
#include "protocol/rules/fields/field.hpp"

namespace floe::rule_fields {

constexpr auto fields_of(of<db_plan>) {
  return event("plan", field("db", &db_plan::db), field("gen", &db_plan::gen),
               field("participants", &db_plan::participants), field("copies", &db_plan::copies),
               field("step_timeout", &db_plan::step_timeout), field("budget", &db_plan::budget),
               field("tries", &db_plan::tries),
               field("hold_after_freeze", &db_plan::hold_after_freeze),
               field("floe_only", &db_plan::floe_only), field("everything", &db_plan::whole),
               field("verify", &db_plan::verify), field("stays_frozen", &db_plan::stays_frozen));
}
constexpr auto fields_of(of<db_event::start>) {
  return event("start", field("plan", &db_event::start::plan));
}
constexpr auto fields_of(of<db_event::answered>) {
  using e = db_event::answered;
  return event("answered", field("run", &e::run), field("phase", &e::phase),
               field("node", &e::node), field("number", &e::number), field("arrived", &e::arrived),
               field("text", &e::text), field("whole", &e::whole), field("copy", &e::copy),
               field("past", &e::past));
}
constexpr auto fields_of(of<db_event::failed>) {
  using e = db_event::failed;
  return event("failed", field("run", &e::run), field("phase", &e::phase), field("node", &e::node),
               field("cause", &e::cause), field("detail", &e::detail));
}
constexpr auto fields_of(of<db_event::compared>) {
  return event("compared", field("run", &db_event::compared::run),
               field("ask", &db_event::compared::ask),
               field("too_many", &db_event::compared::too_many));
}
constexpr auto fields_of(of<db_event::merged>) {
  return event("merged", field("run", &db_event::merged::run),
               field("records", &db_event::merged::records),
               field("lack", &db_event::merged::lack));
}
constexpr auto fields_of(of<db_event::pushed>) {
  return event("pushed", field("run", &db_event::pushed::run));
}
constexpr auto fields_of(of<db_event::broke>) {
  return event("broke", field("run", &db_event::broke::run),
               field("detail", &db_event::broke::detail));
}
constexpr auto fields_of(of<db_event::release>) {
  return event("release", field("run", &db_event::release::run));
}
constexpr auto fields_of(of<db_event::stop>) { return event("stop"); }

constexpr auto fields_of(of<db_effect::entered>) {
  return event("entered", field("run", &db_effect::entered::run),
               field("from", &db_effect::entered::from), field("to", &db_effect::entered::to));
}
constexpr auto fields_of(of<db_effect::ask>) {
  using e = db_effect::ask;
  return event("ask", field("run", &e::run), field("phase", &e::phase), field("nodes", &e::nodes),
               field("timeout", &e::timeout));
}
constexpr auto fields_of(of<db_effect::compare>) {
  return event("compare", field("run", &db_effect::compare::run));
}
constexpr auto fields_of(of<db_effect::merge>) {
  return event("merge", field("run", &db_effect::merge::run));
}
constexpr auto fields_of(of<db_effect::push>) {
  using e = db_effect::push;
  return event("push", field("run", &e::run), field("nodes", &e::nodes),
               field("timeout", &e::timeout));
}
constexpr auto fields_of(of<db_effect::held>) {
  return event("held", field("run", &db_effect::held::run));
}
constexpr auto fields_of(of<db_effect::ended>) {
  return event("ended", field("run", &db_effect::ended::run),
               field("good", &db_effect::ended::good));
}
constexpr auto last_of(of<db_phase>) { return db_phase::failed; }
constexpr auto last_of(of<failure_cause>) { return failure_cause::stopped; }

}  // namespace floe::rule_fields
