/// The leader's part with the cluster lock: it carries out what the election rule decides, and says
/// how it stands.
#include <fmt/format.h>

#include "actors/events.hpp"
#include "actors/recovery/leader.hpp"
#include "protocol/rules/elapsed.hpp"

namespace floe {
namespace {

/// How long a try may take. CTDB waits for two minutes; meanwhile the other nodes go on without
/// this one, so it matters little.
constexpr duration longest_try = std::chrono::seconds(30);

}  // namespace

void leader::act(const election_effect::take_lock& e) {
  claim_.reset();
  claim_serial_ = e.serial;
  claim_since_ = env_.loop.now();
  if (!env_.locks)
    return lock_answered(e.serial, {lock_outcome::failed, "this program cannot take locks"});
  show_lock(lock_standing::taking, lock_trouble_);
  claim_ = env_.locks->claim(config_.cluster_lock, longest_try,
                             {.answered =
                                  [to = self(), n = e.serial](const lock_answer& a) {
                                    to.tell(leader_lock_answered{n, a});
                                  },
                              .lost =
                                  [to = self(), n = e.serial](const std::string& why) {
                                    to.tell(leader_lock_lost{n, why});
                                  }});
}

void leader::on(leader_lock_answered& m) { lock_answered(m.serial, m.answer); }
void leader::on(leader_lock_lost& m) { lock_lost(m.serial, m.why); }
void leader::on(leader_lock_released&) { vote(election_event::lock_released{}); }

void leader::lock_answered(std::uint64_t serial, const lock_answer& a) {
  if (serial != claim_serial_) return;
  if (a.outcome != lock_outcome::taken) claim_.reset();
  tell_if_slow(a.outcome);
  switch (a.outcome) {
    case lock_outcome::taken:
      env_.log.tell(event::cluster_lock_taken{});
      lock_trouble_.clear();
      show_lock(lock_standing::held);
      break;
    case lock_outcome::contended:
      lock_trouble_.clear();
      show_lock(lock_standing::held_by_another);
      break;
    case lock_outcome::failed:
      // repeated once for each cause; the state has it all the time
      if (lock_trouble_ != a.why) env_.log.tell(event::cluster_lock_failed{.why = a.why});
      lock_trouble_ = a.why;
      show_lock(lock_standing::failed, a.why);
      break;
  }
  vote(election_event::lock_answered{serial, a.outcome});
}

/// RecLockLatencyMs.
void leader::tell_if_slow(lock_outcome outcome) const {
  const auto limit = std::chrono::milliseconds(config_.tunables[tunable::reclock_latency_ms]);
  const auto took = env_.loop.now() - claim_since_;
  if (limit == limit.zero() || took <= limit) return;
  env_.log.tell(event::cluster_lock_slow{.ms = static_cast<std::uint64_t>(in_ms(took)),
                                         .to = outcome == lock_outcome::taken       ? "taken"
                                               : outcome == lock_outcome::contended ? "contended"
                                                                                    : "failed"});
}

void leader::lock_lost(std::uint64_t serial, const std::string& why) {
  if (serial != claim_serial_ || !claim_) return;
  env_.log.tell(event::cluster_lock_lost{.why = why});
  claim_.reset();
  lock_trouble_ = why;
  show_lock(lock_standing::lost, why);
  vote(election_event::lock_lost{serial});
}

/// A node that has hung must not act as leader before it hears that it is none.
void leader::check_lease() {
  if (claim_ && election_.holds_lock() && claim_->expired())
    lock_lost(claim_serial_, "this node hung for longer than the lease");
}

void leader::act(const election_effect::release_lock&) {
  if (!claim_) return;
  show_lock(lock_standing::released);
  claim_->release([to = self()] { to.tell(leader_lock_released{}); });
  claim_.reset();
  claim_serial_ = 0;
}

void leader::drop_lock() { claim_.reset(); }

/// Two leaders: this node holds the lock, so the other one is wrong, or the lock is worthless.
void leader::act(const election_effect::contradicted& e) {
  env_.log.tell(event::two_leaders{
      .other = e.by,
      .why = "it claims to lead although this node holds the cluster lock: a late packet, another "
             "cluster lock there, or a lock that excludes nobody"});
  watch(watch_event::contradicted{});
}

void leader::show_lock(lock_standing state, std::string detail) {
  node_.tell(cluster_lock_state{.state = state, .detail = std::move(detail)});
}

}  // namespace floe
