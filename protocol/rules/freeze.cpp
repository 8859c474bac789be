#include "protocol/rules/freeze.hpp"
#include "protocol/mutant.hpp"

#include <cassert>
#include <utility>

#include "protocol/rules/lineage.hpp"

namespace floe {
namespace {

using namespace freeze_event;

bool is_frozen(const freeze_status& s) {
  return s.state == freeze_state::frozen || s.state == freeze_state::in_transaction;
}

freeze_step refuse(const freeze_status& now, freeze_refusal why) {
  return {.next = now, .refused = why};
}

/// Closes the open transaction, if there is one, without keeping anything of it.
freeze_step close_transaction(const freeze_status& now) {
  const bool open = now.state == freeze_state::in_transaction;
  freeze_step s{.next = now, .roll_back = open, .abandon_push = now.pushing};
  if (open) s.next.state = freeze_state::frozen;
  s.next.tid = generation::invalid;
  s.next.wiped = s.next.pushing = s.next.outside = false;
  return s;
}

/// Whether a commit puts something else in the place of what was there before, outside of a recovery, and it can be named.
bool replaces(const freeze_status& now, const commit& e) {
  return now.outside && (now.wiped || e.records) && replaced_under(e.tid) != generation::invalid &&
         !mutated(mutant::replaced_in_place);
}

freeze_refusal check_transaction(const freeze_status& now) {
  if (!is_frozen(now)) return freeze_refusal::not_frozen;
  if (now.state != freeze_state::in_transaction) return freeze_refusal::no_transaction;
  return freeze_refusal::none;
}
freeze_refusal check_transaction(const freeze_status& now, generation tid) {
  const auto r = check_transaction(now);
  return r == freeze_refusal::none && now.tid != tid ? freeze_refusal::wrong_tid : r;
}

freeze_step on(const freeze_status& now, const freeze& e) {
  freeze_step s{.next = now};
  s.next.records_invalid |= e.invalidate;
  s.next.recovered |= e.recovers;
  switch (now.state) {
    case freeze_state::thawed:
      s.wait = e.locks_held;
      s.next.state = e.locks_held ? freeze_state::freezing : freeze_state::frozen;
      break;
    case freeze_state::freezing: s.wait = true; break;
    case freeze_state::frozen:
    case freeze_state::in_transaction: break;  // an open transaction stays open
  }
  return s;
}

freeze_step on(const freeze_status& now, const last_holder_gone&) {
  freeze_step s{.next = now};
  if (now.state == freeze_state::freezing) {
    s.next.state = freeze_state::frozen;
    s.frozen_now = true;
  }
  return s;
}

freeze_step on(const freeze_status& now, const begin& e) {
  if (!is_frozen(now)) return refuse(now, freeze_refusal::not_frozen);
  // of two leaders that recover at the same time one must lose, and everywhere the same one
  if (supersedes(e.committed, e.tid) || supersedes(now.tid, e.tid))
    return refuse(now, freeze_refusal::outdated);
  if (e.outside && e.tid != e.map) return refuse(now, freeze_refusal::not_of_map);
  // of what the first has put in the place of the content nothing would be left, and yet it was told that it is done
  if (e.outside && now.replaced) return refuse(now, freeze_refusal::outdated);
  freeze_step s = close_transaction(now);
  s.next.state = freeze_state::in_transaction;
  s.next.tid = e.tid;
  s.next.outside = e.outside;
  s.next.recovered |= !e.outside;
  return s;
}

freeze_step on(const freeze_status& now, const wipe& e) {
  if (auto r = check_transaction(now, e.tid); r != freeze_refusal::none) return refuse(now, r);
  freeze_step s{.next = now};
  s.next.wiped = true;
  return s;
}

freeze_step on(const freeze_status& now, const pull&) {
  if (!is_frozen(now)) return refuse(now, freeze_refusal::not_frozen);
  return {.next = now,
          .nothing_to_pull = now.records_invalid && !mutated(mutant::inactive_copies_count)};
}

/// Of two leaders that recover at once one may come late: what it sends belongs to its own transaction, which is no more.
freeze_step on(const freeze_status& now, const push_start& e) {
  if (auto r = check_transaction(now); r != freeze_refusal::none) return refuse(now, r);
  if (e.of != generation::invalid && e.of != now.tid && !mutated(mutant::push_into_anothers))
    return refuse(now, freeze_refusal::wrong_tid);
  freeze_step s{.next = now, .abandon_push = now.pushing};
  s.next.pushing = true;
  return s;
}

freeze_step on(const freeze_status& now, const push_confirm&) {
  if (auto r = check_transaction(now); r != freeze_refusal::none) return refuse(now, r);
  if (!now.pushing) return refuse(now, freeze_refusal::no_push);
  freeze_step s{.next = now};
  s.next.pushing = false;
  return s;
}

freeze_step on(const freeze_status& now, const commit& e) {
  if (e.inactive) return refuse(now, freeze_refusal::inactive);
  if (auto r = check_transaction(now, e.tid); r != freeze_refusal::none) return refuse(now, r);
  if (now.pushing) return refuse(now, freeze_refusal::push_unconfirmed);
  if (now.outside && e.recovering) return refuse(now, freeze_refusal::recovery_began);
  freeze_step s{.next = now, .committed = e.tid};
  s.next.state = freeze_state::frozen;
  s.next.tid = generation::invalid;
  s.next.records_invalid = now.records_invalid && !now.wiped && !e.filled;
  s.next.replaced = replaces(now, e);
  if (s.next.replaced) s.committed = replaced_under(e.tid);
  s.next.wiped = s.next.outside = false;
  return s;
}

freeze_step on(const freeze_status& now, const cancel&) { return close_transaction(now); }

freeze_step on(const freeze_status& now, const thaw& e) {
  if (e.left_out) return {.next = now};
  if (e.inactive) return refuse(now, freeze_refusal::inactive);
  if (now.state == freeze_state::thawed) return {.next = now};
  if (e.outside && e.recovering && now.recovered && !mutated(mutant::tool_opens_what_recovers))
    return {.next = now};
  if (now.records_invalid) return refuse(now, freeze_refusal::records_invalid);
  if (now.replaced) return {.next = now, .recover_first = true};
  freeze_step s = close_transaction(now);
  s.next.state = freeze_state::thawed;
  s.next.recovered = false;
  s.freeze_undone = now.state == freeze_state::freezing;
  s.resume = true;
  return s;
}

freeze_step on(const freeze_status& now, const read& e) {
  switch (now.state) {
    case freeze_state::thawed: return {.next = now};
    case freeze_state::in_transaction:
      if (!e.outside || mutated(mutant::number_of_before_the_records)) return {.next = now};
      break;
    case freeze_state::freezing:
    case freeze_state::frozen: break;
  }
  return refuse(now, freeze_refusal::access_denied);
}

/// What belongs to a transaction is there as long as it is open.
bool is_sound(const freeze_status& s) {
  return s.state == freeze_state::in_transaction ||
         (s.tid == generation::invalid && !s.wiped && !s.pushing);
}

}  // namespace

freeze_step step(const freeze_status& now, const freeze_input& event) {
  assert(is_sound(now) && "a transaction was left half open");
  auto s = std::visit([&](const auto& e) { return on(now, e); }, event);
  assert(is_sound(s.next) && "a step leaves a transaction half open");
  assert((s.refused == freeze_refusal::none || s.next == now) && "what is refused changes nothing");
  assert((!s.frozen_now || is_frozen(s.next)) && "who waits for a freeze is told too early");
  return s;
}

bool may_own(bool equal, bool in_map, bool leaving) {
  if (leaving) return mutated(mutant::leaver_goes_on);
  return in_map || !equal || mutated(mutant::owns_outside_the_map);
}

std::string_view name(freeze_state s) {
  switch (s) {
    case freeze_state::thawed: return "thawed";
    case freeze_state::freezing: return "freezing";
    case freeze_state::frozen: return "frozen";
    case freeze_state::in_transaction: return "in_transaction";
  }
  std::unreachable();
}

std::string_view name(freeze_refusal r) {
  switch (r) {
    case freeze_refusal::none: return "";
    case freeze_refusal::outdated: return "a later recovery has been here";
    case freeze_refusal::not_frozen: return "the database is not frozen";
    case freeze_refusal::no_transaction: return "no recovery transaction is open";
    case freeze_refusal::wrong_tid: return "another recovery transaction is open";
    case freeze_refusal::push_unconfirmed: return "a push is not confirmed yet";
    case freeze_refusal::no_push: return "no push was started";
    case freeze_refusal::records_invalid: return "the records are invalid until a recovery";
    case freeze_refusal::access_denied: return "the database is frozen";
    case freeze_refusal::inactive: return "the node is stopped or banned";
    case freeze_refusal::not_of_map: return "the cluster is at another generation";
    case freeze_refusal::recovery_began: return "a recovery has begun since";
  }
  std::unreachable();
}

}  // namespace floe
