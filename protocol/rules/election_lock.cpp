/// The race for the cluster lock: the part of an election that takes the place of the vote when a
/// lock is configured.
#include <algorithm>
#include <utility>

#include "protocol/mutant.hpp"
#include "protocol/rules/election.hpp"

namespace floe {
namespace {

constexpr unsigned most_doublings = 5;

duration doubled(duration first, unsigned times, duration limit) {
  return std::min(first * (1U << std::min(times, most_doublings)), std::max(first, limit));
}

/// For a second look: longer than any lock stays taken when it has been let go.
constexpr duration longest_wait = std::chrono::minutes(2);

/// Until the others have taken the lock and recovered; or are not there.
constexpr duration way_for_others = std::chrono::seconds(10);

}  // namespace

bool leaves_lock(duration since_loss) {
  return since_loss <= way_for_others && !mutated(mutant::outnumbered_keeps_lock);
}

/// So that the others race too: whoever gets the lock leads.
void election::announce_race() {
  set_leader(pnn::unknown);
  rival_ = pnn::unknown;
  out_.push_back(election_effect::send_leader{pnn::unknown, 0});
  race();
}

void election::race() {
  if (!own_.can_lead || held_ || lock_try_ != 0 || looks_again_later()) return;
  disarm(election_timer::lock_again);
  state_ = election_state::racing;
  lock_try_ = ++last_serial_;
  out_.push_back(election_effect::take_lock{lock_try_});
}

/// Somebody knows no leader. The holder says that it leads; everybody else races.
void election::unknown_heard_with_lock() {
  if (held_) {
    if (leads()) out_.push_back(election_effect::send_leader{self_, term_});
    return;
  }
  set_leader(pnn::unknown);
  arm(election_timer::leader_silent, delays_.leader_timeout);
  race();
}

void election::on(const election_event::lock_answered& e) {
  if (e.serial == 0 || e.serial != lock_try_ || held_) return;
  if (e.outcome == lock_outcome::taken) {
    if (own_.outnumbered && !found_free_ && !mutated(mutant::outnumbered_looks_once))
      return leave_free_lock();
    forget_free_lock();
    held_ = true;  // whoever else claims to lead is wrong
    lock_tries_ = 0;
    rival_ = pnn::unknown;
    disarm(election_timer::lock_again);
    return lead();
  }
  lock_try_ = 0;
  state_ = election_state::settled;
  if (leader_ != pnn::unknown) return;
  const bool failed = e.outcome == lock_outcome::failed;
  if (!failed && std::exchange(found_free_, false)) ++held_after_all_;
  const bool is_awaited = !failed && !own_.outnumbered;
  arm(election_timer::lock_again,
      doubled(failed ? delays_.lock_pause : delays_.lock_retry, lock_tries_++,
              is_awaited ? delays_.leader_timeout / 2 : 2 * delays_.leader_timeout));
}

/// It may be free only until the next of those who are more asks for it. They ask twice in this time, a ctdbd once: this look
/// may have been in the way of one of them.
void election::leave_free_lock() {
  lock_try_ = 0;
  lock_tries_ = 0;
  state_ = election_state::settled;
  out_.push_back(election_effect::release_lock{});
  if (leader_ != pnn::unknown)
    return;  // heard during this look: it begins anew when that one is silent
  found_free_ = true;
  arm(election_timer::lock_again,
      doubled(delays_.leader_timeout + delays_.broadcast, held_after_all_, longest_wait));
}

bool election::looks_again_later() const {
  return found_free_ && is_armed(election_timer::lock_again);
}

void election::forget_free_lock() {
  found_free_ = false;
  held_after_all_ = 0;
}

/// The office ends here and now. Others may have better access to the lock: they go first.
void election::on(const election_event::lock_lost& e) {
  if (!held_ || e.serial != lock_try_) return;
  held_ = false;
  lock_try_ = 0;
  state_ = election_state::settled;
  set_leader(pnn::unknown);
  out_.push_back(election_effect::send_leader{pnn::unknown, 0});
  arm(election_timer::leader_silent, delays_.leader_timeout);
  arm(election_timer::lock_again, delays_.lock_retry);
}

/// This node cannot lead any more. The others are told when the lock can be had.
void election::give_up_lock() {
  disarm(election_timer::lock_again);
  forget_free_lock();
  if (lock_try_ == 0) return;
  held_ = false;
  lock_try_ = 0;
  state_ = election_state::settled;
  out_.push_back(election_effect::release_lock{});
  if (leader_ != self_) return;
  set_leader(pnn::unknown);
  arm(election_timer::leader_silent, delays_.leader_timeout);
}

void election::on(const election_event::lock_released&) {
  if (leader_ == pnn::unknown) out_.push_back(election_effect::send_leader{pnn::unknown, 0});
}

}  // namespace floe
