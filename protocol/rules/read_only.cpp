#include "protocol/rules/read_only.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "protocol/mutant.hpp"

namespace floe {
namespace {

/// What the first copy adds to the rsn: room below it for the copy, and for what takes the copy back.
constexpr std::uint64_t room_for_copies = 3;
constexpr std::uint64_t copy_is_behind = 2;
constexpr std::uint64_t call_back_is_behind = 1;

rsn above(rsn r, std::uint64_t n) { return rsn{number(r) + n}; }
rsn below(rsn r, std::uint64_t n) { return rsn{number(r) - n}; }

}  // namespace

bool copies_are_out(pnn self, const std::optional<record_header>& local) {
  return local && local->dmaster == self && (local->flags & record_flag::ro_have_delegations);
}

record_header without_copies(record_header h) {
  h.flags &= ~record_flag::ro_all;
  return h;
}

delegation decide_delegation(const record_header& local) {
  const bool first = !(local.flags & record_flag::ro_have_delegations);
  delegation d{.kept = without_copies(local), .copy = without_copies(local)};
  if (first) d.kept.rsn = above(local.rsn, room_for_copies);
  d.kept.flags |= record_flag::ro_have_delegations;
  d.copy.rsn = below(d.kept.rsn, copy_is_behind);
  d.copy.flags |= record_flag::ro_have_readonly;
  return d;
}

record_header call_back_header(const record_header& local) {
  record_header h = without_copies(local);
  h.rsn = below(local.rsn, call_back_is_behind);
  h.flags |= record_flag::migrated_with_data;
  return h;
}

record_header called_back_header(const record_header& local) {
  record_header h = without_copies(local);
  h.rsn = next(local.rsn);
  return h;
}

record_header not_called_back_header(const record_header& local) {
  record_header h = local;
  h.rsn = above(local.rsn, copy_is_behind);
  return h;
}

void copies_out::given(pnn holder) {
  assert(state_ != state::calling_back && "a copy is given while copies are called back");
  const auto at = std::ranges::lower_bound(holders_, holder);
  if (at == holders_.end() || *at != holder) holders_.insert(at, holder);
}

bool copies_out::may_call_back(time_point now) const {
  if (state_ == state::calling_back) return false;
  return state_ == state::out || now >= next_try_;
}

std::span<const pnn> copies_out::call_back(std::uint64_t attempt, time_point now) {
  assert(may_call_back(now) && "copies are called back twice at once, or again at once");
  if (state_ == state::out) since_ = now;
  state_ = state::calling_back;
  refused_ = false;
  attempt_ = attempt;
  waiting_for_ = holders_;
  if (mutated(mutant::copies_not_called_back)) waiting_for_.clear();
  return waiting_for_;
}

void copies_out::answered(std::uint64_t attempt, pnn holder, bool gone, time_point now) {
  if (state_ != state::calling_back || attempt != attempt_) return;
  const auto asked = std::ranges::find(waiting_for_, holder);
  assert(asked != waiting_for_.end() && "a holder answers twice");
  waiting_for_.erase(asked);
  if (gone || mutated(mutant::silent_holder_taken_for_back))
    std::erase(holders_, holder);
  else
    refused_ = true;
  if (!waiting_for_.empty() || !refused_) return;
  state_ = state::failed;
  next_try_ = now + pause_;
}

bool is_read_only_copy(const std::optional<record_header>& local) {
  return local && (local->flags & record_flag::ro_have_readonly);
}

copy_outcome decide_copy(pnn self, const std::optional<record_header>& local,
                         const record_header& offered) {
  using enum copy_outcome;
  if (!(offered.flags & record_flag::ro_have_readonly)) return refuse;
  if (offered.dmaster == self) return refuse;
  if (!local) return store;
  // asked as one that does not own it, this node has become its owner meanwhile
  if (local->dmaster == self) return refuse;
  // as new as the record itself: an old copy that was called back is at most one behind it
  return local->rsn < above(offered.rsn, copy_is_behind) ? store : refuse;
}

call_back_decision decide_called_back(pnn self, const std::optional<record_header>& local,
                                      const record_header& offered) {
  using enum call_back_outcome;
  const bool ours = local && local->dmaster == self;
  if (ours != (offered.dmaster == self)) return {.outcome = refuse};
  if (ours && offered.rsn <= local->rsn) return {.outcome = outdated};
  if (ours) {
    record_header h = *local;
    h.rsn = offered.rsn;
    h.flags |= without_copies(offered).flags;
    return {.outcome = write, .header = h};
  }
  if (!is_read_only_copy(local)) return {.outcome = none};
  record_header h = without_copies(*local);
  h.rsn = next(local->rsn);
  return {.outcome = end_copy, .header = h};
}

std::string_view name(copies_out::state s) {
  switch (s) {
    case copies_out::state::out: return "out";
    case copies_out::state::calling_back: return "calling-back";
    case copies_out::state::failed: return "failed";
  }
  std::unreachable();
}

}  // namespace floe
