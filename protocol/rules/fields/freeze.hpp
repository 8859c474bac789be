#pragma once
/// Names of the events of freeze.hpp.
#include "protocol/rules/fields/field.hpp"
#include "protocol/rules/freeze.hpp"

namespace floe::rule_fields {

constexpr auto fields_of(of<freeze_event::freeze>) {
  return event("freeze", field("locks_held", &freeze_event::freeze::locks_held),
               field("invalidate", &freeze_event::freeze::invalidate),
               field("recovers", &freeze_event::freeze::recovers));
}
constexpr auto fields_of(of<freeze_event::last_holder_gone>) { return event("last_holder_gone"); }
constexpr auto fields_of(of<freeze_event::begin>) {
  return event("begin", field("tid", &freeze_event::begin::tid),
               field("committed", &freeze_event::begin::committed),
               field("outside", &freeze_event::begin::outside),
               field("map", &freeze_event::begin::map));
}
constexpr auto fields_of(of<freeze_event::wipe>) {
  return event("wipe", field("tid", &freeze_event::wipe::tid));
}
constexpr auto fields_of(of<freeze_event::pull>) { return event("pull"); }
constexpr auto fields_of(of<freeze_event::push_start>) {
  return event("push_start", field("of", &freeze_event::push_start::of));
}
constexpr auto fields_of(of<freeze_event::push_confirm>) { return event("push_confirm"); }
constexpr auto fields_of(of<freeze_event::commit>) {
  return event("commit", field("tid", &freeze_event::commit::tid),
               field("inactive", &freeze_event::commit::inactive),
               field("filled", &freeze_event::commit::filled),
               field("recovering", &freeze_event::commit::recovering),
               field("records", &freeze_event::commit::records));
}
constexpr auto fields_of(of<freeze_event::cancel>) { return event("cancel"); }
constexpr auto fields_of(of<freeze_event::thaw>) {
  return event("thaw", field("inactive", &freeze_event::thaw::inactive),
               field("outside", &freeze_event::thaw::outside),
               field("recovering", &freeze_event::thaw::recovering),
               field("left_out", &freeze_event::thaw::left_out));
}
constexpr auto fields_of(of<freeze_event::read>) {
  return event("read", field("outside", &freeze_event::read::outside));
}

constexpr auto fields_of(of<freeze_status>) {
  return event("status", field("state", &freeze_status::state), field("tid", &freeze_status::tid),
               field("wiped", &freeze_status::wiped), field("pushing", &freeze_status::pushing),
               field("outside", &freeze_status::outside),
               field("recovered", &freeze_status::recovered),
               field("records_invalid", &freeze_status::records_invalid),
               field("replaced", &freeze_status::replaced));
}
constexpr auto fields_of(of<freeze_step>) {
  return event("step", field("refused", &freeze_step::refused), field("wait", &freeze_step::wait),
               field("recover_first", &freeze_step::recover_first),
               field("roll_back", &freeze_step::roll_back),
               field("abandon_push", &freeze_step::abandon_push),
               field("frozen_now", &freeze_step::frozen_now),
               field("freeze_undone", &freeze_step::freeze_undone),
               field("resume", &freeze_step::resume),
               field("nothing_to_pull", &freeze_step::nothing_to_pull),
               field("committed", &freeze_step::committed));
}
constexpr auto last_of(of<freeze_state>) { return freeze_state::in_transaction; }
constexpr auto last_of(of<freeze_refusal>) { return freeze_refusal::recovery_began; }

}  // namespace floe::rule_fields
