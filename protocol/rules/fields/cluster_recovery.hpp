#pragma once
/// Names of the events and effects of cluster_recovery.hpp.
#include "protocol/rules/cluster_recovery.hpp"
#include "protocol/rules/fields/field.hpp"

namespace floe::rule_fields {

constexpr auto fields_of(of<cluster_plan>) {
  using e = cluster_plan;
  return event("plan", field("epoch", &e::epoch), field("leader", &e::leader),
               field("gen", &e::gen), field("seen", &e::seen), field("connected", &e::connected),
               field("step_timeout", &e::step_timeout), field("db_budget", &e::db_budget),
               field("db_tries", &e::db_tries), field("db_rounds", &e::db_rounds),
               field("retry_pause", &e::retry_pause), field("whole", &e::whole),
               field("verify", &e::verify), field("needed", &e::needed),
               field("pinned_level", &e::pinned_level),
               field("freeze_all_first", &e::freeze_all_first),
               field("freeze_all_deadline", &e::freeze_all_deadline));
}
constexpr auto fields_of(of<cluster_event::start>) {
  return event("start", field("plan", &cluster_event::start::plan));
}
constexpr auto fields_of(of<cluster_event::surveyed>) {
  using e = cluster_event::surveyed;
  return event("surveyed", field("epoch", &e::epoch), field("node", &e::node),
               field("flags", &e::flags), field("capabilities", &e::capabilities),
               field("gen", &e::gen), field("map", &e::map));
}
constexpr auto fields_of(of<cluster_event::listed>) {
  using e = cluster_event::listed;
  return event("listed", field("epoch", &e::epoch), field("node", &e::node),
               field("databases", &e::databases));
}
constexpr auto fields_of(of<cluster_event::answered>) {
  using e = cluster_event::answered;
  return event("answered", field("epoch", &e::epoch), field("phase", &e::phase),
               field("node", &e::node));
}
constexpr auto fields_of(of<cluster_event::failed>) {
  using e = cluster_event::failed;
  return event("failed", field("epoch", &e::epoch), field("phase", &e::phase),
               field("node", &e::node), field("cause", &e::cause), field("detail", &e::detail));
}
constexpr auto fields_of(of<cluster_event::node_gone>) {
  return event("node_gone", field("epoch", &cluster_event::node_gone::epoch),
               field("node", &cluster_event::node_gone::node));
}
constexpr auto fields_of(of<cluster_event::cannot_store>) {
  return event("cannot_store", field("epoch", &cluster_event::cannot_store::epoch),
               field("node", &cluster_event::cannot_store::node));
}
constexpr auto fields_of(of<cluster_event::db_held>) {
  return event("db_held", field("epoch", &cluster_event::db_held::epoch),
               field("db", &cluster_event::db_held::db));
}
constexpr auto fields_of(of<cluster_event::db_ended>) {
  using e = cluster_event::db_ended;
  return event("db_ended", field("epoch", &e::epoch), field("db", &e::db), field("good", &e::good),
               field("conflict", &e::conflict), field("committed", &e::committed),
               field("outdated", &e::outdated), field("failures", &e::failures));
}
constexpr auto fields_of(of<cluster_event::woke>) {
  return event("woke", field("epoch", &cluster_event::woke::epoch),
               field("why", &cluster_event::woke::why));
}
constexpr auto fields_of(of<cluster_event::stop>) {
  return event("stop", field("epoch", &cluster_event::stop::epoch));
}

constexpr auto fields_of(of<cluster_effect::entered>) {
  using e = cluster_effect::entered;
  return event("entered", field("epoch", &e::epoch), field("from", &e::from), field("to", &e::to));
}
constexpr auto fields_of(of<cluster_effect::ask>) {
  using e = cluster_effect::ask;
  return event("ask", field("epoch", &e::epoch), field("phase", &e::phase),
               field("nodes", &e::nodes), field("timeout", &e::timeout));
}
constexpr auto fields_of(of<cluster_effect::recover>) {
  return event("recover", field("epoch", &cluster_effect::recover::epoch),
               field("plan", &cluster_effect::recover::plan));
}
constexpr auto fields_of(of<cluster_effect::release>) {
  return event("release", field("epoch", &cluster_effect::release::epoch),
               field("db", &cluster_effect::release::db));
}
constexpr auto fields_of(of<cluster_effect::stop_databases>) {
  return event("stop_databases", field("epoch", &cluster_effect::stop_databases::epoch));
}
constexpr auto fields_of(of<cluster_effect::wake>) {
  using e = cluster_effect::wake;
  return event("wake", field("epoch", &e::epoch), field("why", &e::why), field("after", &e::after));
}
constexpr auto fields_of(of<cluster_effect::deadlock>) {
  using e = cluster_effect::deadlock;
  return event("deadlock", field("epoch", &e::epoch), field("frozen", &e::frozen),
               field("not_frozen", &e::not_frozen));
}
constexpr auto fields_of(of<cluster_effect::ended>) {
  return event("ended", field("epoch", &cluster_effect::ended::epoch),
               field("good", &cluster_effect::ended::good));
}
constexpr auto last_of(of<cluster_phase>) { return cluster_phase::failed; }
constexpr auto names_of(of<cluster_event::alarm>) { return names("freeze_all", "retry"); }

}  // namespace floe::rule_fields
