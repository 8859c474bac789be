#include "protocol/rules/election.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "protocol/mutant.hpp"

namespace floe {

bool wins_against(pnn self, const standing& own, const vote& other) {
  if (!own.can_lead) return false;
  if (other.inactive) return true;
  if (own.priority != other.priority) return own.priority < other.priority;
  return self > other.node;
}

std::vector<election_output> election::step(const election_input& event) {
  out_.clear();
  std::visit([&](const auto& e) { on(e); }, event);
  assert((!held_ || lock_try_ != 0) && "a lock is held that was not asked for");
  assert((leader_ != self_ || own_.can_lead) && "a node leads that may not");
  assert((leader_ != self_ || !with_lock_ || held_) && "a node leads without the cluster lock");
  assert((state_ != election_state::electing || !with_lock_) && "a vote beside a cluster lock");
  assert((state_ != election_state::racing || lock_try_ != 0) && "a race without a try");
  assert((!found_free_ || leader_ == pnn::unknown) && "a second look at the lock of a leader");
  assert(rival_ != self_ && "a node is its own rival");
  return std::exchange(out_, {});
}

// ---- events ----

void election::on(const election_event::start&) {
  arm(election_timer::broadcast, delays_.broadcast);
  arm(election_timer::leader_silent, delays_.leader_timeout);
}

void election::on(const election_event::standing_changed& e) {
  own_ = e.now;
  if (own_.can_lead) {
    if (found_free_ && !own_.outnumbered) {  // with those who were missed
      forget_free_lock();
      race();
    }
    return;
  }
  if (with_lock_) return give_up_lock();
  disarm(election_timer::answer);
  if (candidate_ == self_) candidate_ = pnn::unknown;
  if (leader_ == self_) call_election();  // not as a candidate: so that the others need not wait
}

void election::on(const election_event::leader_heard& e) {
  if (e.from == self_) return;
  if (e.leader == pnn::unknown) {
    if (with_lock_) return unknown_heard_with_lock();
    if (stays_with_leader(e.from)) return;  // a vote follows, and is answered
    state_ = election_state::electing;
    disarm(election_timer::leader_silent);
    arm(election_timer::vote_end, delays_.vote_end);  // a vote should follow, but may be lost
    return;
  }
  if (e.leader != e.from) return;
  if (held_) {
    if (e.term && *e.term >= term_) outbid(*e.term);
    out_.push_back(election_effect::contradicted{e.from});
    return;
  }
  if (e.term && *e.term < term_) {
    const bool led = leader_ != pnn::unknown && leader_ != e.from;
    out_.push_back(election_effect::send_term{e.from, term_, led});
    return;
  }
  const bool later = e.term && *e.term > term_;
  const pnn expected = candidate_ != pnn::unknown ? candidate_ : leader_;
  // who was told who leads, and leads nevertheless, is heard by more than that leader
  if (expected == pnn::unknown || e.leader == expected ||
      (later && (with_lock_ || e.from == told_))) {
    if (later) term_ = *e.term;
    return follow(e.leader);
  }
  if (e.term && *e.term == term_ && stays_with_leader(e.from)) {
    // two were elected at once, and do not hear each other: whoever hears both tells one of them, everywhere the same one
    if (e.from > leader_) return follow(e.from);
    out_.push_back(election_effect::send_term{e.from, term_, true});
    return;
  }
  if (later && stays_with_leader(e.from))
    told_ = e.from;  // it has heard of the other, or will: next time
  rival_heard(e.leader, e.term.value_or(0));
}

void election::on(const election_event::vote_heard& e) {
  if (e.cast.node == self_ || with_lock_) return;
  if (stays_with_leader(e.cast.node)) {
    told_ = e.cast.node;
    out_.push_back(election_effect::say_who_leads{told_, leader_});
    return;
  }
  state_ = election_state::electing;
  arm(election_timer::vote_end, delays_.vote_end);
  if (wins_against(self_, own_, e.cast)) {
    if (!is_armed(election_timer::answer)) arm(election_timer::answer, delays_.answer_delay);
    return;
  }
  disarm(election_timer::answer);
  candidate_ = e.cast.node;
  if (leader_ == self_) set_leader(pnn::unknown);
}

void election::on(const election_event::leader_elsewhere& e) {
  if (state_ != election_state::electing || e.leader == self_) return;
  led_elsewhere_.insert(e.from);
  if (2 * (led_elsewhere_.size() + 1) <= own_.connected + std::size_t{1}) return;
  state_ = election_state::settled;
  candidate_ = pnn::unknown;
  disarm(election_timer::answer);
  disarm(election_timer::vote_end);
  arm(election_timer::leader_silent, delays_.leader_timeout);
}

void election::on(const election_event::node_gone& e) {
  if (e.node == self_) return;
  if (rival_ == e.node) rival_ = pnn::unknown;
  const bool needed = leader_ == e.node || candidate_ == e.node;
  if (candidate_ == e.node) candidate_ = pnn::unknown;
  if (leader_ == e.node) set_leader(pnn::unknown);
  if (needed && own_.can_lead) with_lock_ ? announce_race() : call_election();
}

/// A leader whose claims are not believed. If somebody leads in that term, this node has missed its own fall, unless
/// it holds the lock; if nobody does, nobody else will answer for the cluster.
void election::on(const election_event::term_heard& e) {
  if (e.term < term_) return;
  if (leader_ != self_) {
    term_ = e.term;
    return;
  }
  if (held_ || !e.led) return claim_of_later_term(e.term);
  term_ = e.term;
  set_leader(pnn::unknown);
  arm(election_timer::leader_silent, delays_.leader_timeout);
}

void election::on(const election_event::fired& e) {
  auto& armed = armed_[static_cast<std::size_t>(e.timer)];
  if (armed == 0 || armed != e.serial) return;
  armed = 0;
  switch (e.timer) {
    case election_timer::broadcast: return say_who_leads();
    case election_timer::leader_silent: return leader_is_silent();
    case election_timer::answer: return answer();
    case election_timer::vote_end: return end_of_votes();
    case election_timer::lock_again:
      if (leader_ == pnn::unknown) race();
      return;
  }
}

// ---- timers ----

void election::say_who_leads() {
  arm(election_timer::broadcast, delays_.broadcast);
  answered_claim_ = false;
  ++broadcasts_missed_;
  if (leads()) out_.push_back(election_effect::send_leader{self_, term_});
}

void election::leader_is_silent() {
  arm(election_timer::leader_silent, delays_.leader_timeout);
  if (leader_ == self_ || state_ == election_state::electing) return;
  // a try under way has a deadline of its own; after one that was in vain the next is planned
  if (with_lock_ && (lock_try_ != 0 || is_armed(election_timer::lock_again))) return;
  if (rival_ != pnn::unknown && rival_claims_ >= 2) {
    term_ = std::max(term_, rival_term_);
    return follow(rival_);
  }
  set_leader(pnn::unknown);
  if (own_.can_lead) with_lock_ ? announce_race() : call_election();
}

void election::answer() {
  candidate_ = self_;
  arm(election_timer::vote_end, delays_.vote_end);
  out_.push_back(election_effect::send_vote{{.node = self_,
                                             .inactive = own_.inactive,
                                             .priority = own_.priority,
                                             .connected = own_.connected}});
}

void election::end_of_votes() {
  state_ = election_state::settled;
  disarm(election_timer::answer);
  arm(election_timer::leader_silent, delays_.leader_timeout);
  const pnn winner = std::exchange(candidate_, pnn::unknown);
  if (winner == self_) {
    lead();
  } else if (winner != pnn::unknown) {
    set_leader(winner);
  } else if (leader_ == pnn::unknown && own_.can_lead) {
    call_election();  // an election was announced, and nobody voted
  }
}

// ---- what they share ----

/// A leader that hangs is found out sooner by those whose connection to it breaks.
bool election::stays_with_leader(pnn caller) const {
  constexpr unsigned lately = 3;
  return state_ == election_state::settled && leader_ != pnn::unknown && leader_ != self_ &&
         leader_ != caller && own_.only_floe && broadcasts_missed_ < lately &&
         !mutated(mutant::heard_leader_deposed);
}

void election::call_election() {
  set_leader(pnn::unknown);
  led_elsewhere_.clear();
  rival_ = pnn::unknown;
  state_ = election_state::electing;
  candidate_ = own_.can_lead ? self_ : pnn::unknown;
  disarm(election_timer::answer);
  arm(election_timer::vote_end, delays_.vote_end);
  out_.push_back(election_effect::send_leader{pnn::unknown});
  out_.push_back(election_effect::send_vote{{.node = self_,
                                             .inactive = own_.inactive,
                                             .priority = own_.priority,
                                             .connected = own_.can_lead ? own_.connected : 0}});
}

void election::rival_heard(pnn who, std::uint64_t term) {
  if (rival_ != who) rival_claims_ = 0;
  rival_ = who;
  rival_term_ = term;
  ++rival_claims_;
  // by its term it is no late packet of a former leader: both would recover at once, until they are told apart
  const bool fresh = term > 0 && term >= term_;
  if (state_ == election_state::settled && leader_ == self_ && (rival_claims_ >= 2 || fresh))
    call_election();
}

void election::follow(pnn leader) {
  state_ = election_state::settled;
  broadcasts_missed_ = 0;
  candidate_ = rival_ = pnn::unknown;
  disarm(election_timer::answer);
  disarm(election_timer::vote_end);
  disarm(election_timer::lock_again);
  lock_tries_ = 0;
  forget_free_lock();
  arm(election_timer::leader_silent, delays_.leader_timeout);
  set_leader(leader);
}

void election::lead() {
  if (leader_ != self_) ++term_;
  state_ = election_state::settled;
  set_leader(self_);
  out_.push_back(election_effect::send_leader{self_, term_});
}

/// Of a leader that stays: its claims must be of the latest term.
void election::claim_of_later_term(std::uint64_t seen) {
  term_ = seen + 1;
  if (leads()) out_.push_back(election_effect::send_leader{self_, term_});
}

/// Another claims to lead, in a later term, although this node holds the lock. It is answered at once, but only once
/// between two broadcasts: if it cannot be talked out of its office either, it answers as quickly, and so on.
void election::outbid(std::uint64_t term) {
  if (!std::exchange(answered_claim_, true)) return claim_of_later_term(term);
  term_ = term + 1;
}

void election::set_leader(pnn leader) {
  if (leader == leader_) return;
  out_.push_back(election_effect::leader_changed{leader_, leader});
  leader_ = leader;
  told_ = pnn::unknown;
}

void election::arm(election_timer t, duration after) {
  armed_[static_cast<std::size_t>(t)] = ++last_serial_;
  out_.push_back(election_effect::arm{t, last_serial_, after});
}

std::string_view name(election_state s) {
  switch (s) {
    case election_state::settled: return "settled";
    case election_state::electing: return "electing";
    case election_state::racing: return "racing for the cluster lock";
  }
  std::unreachable();
}

}  // namespace floe
