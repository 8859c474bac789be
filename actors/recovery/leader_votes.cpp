/// The leader's part in elections: carries out what the rules of elections (protocol/rules/election.hpp) say, and hears
/// what other nodes say.
#include <fmt/format.h>

#include <algorithm>

#include "actors/events.hpp"
#include "actors/recovery/coordinator.hpp"
#include "actors/recovery/leader.hpp"
#include "protocol/constants.hpp"
#include "protocol/messages.hpp"
#include "protocol/mutant.hpp"
#include "protocol/types/membership.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

using std::chrono::milliseconds;

/// Nobody known to lead: a leader would have been heard by now, it speaks every second.
constexpr duration first_silence = milliseconds(1500);
/// Among nodes of floe, which answer at once.
constexpr duration quick_answer = milliseconds(50);
constexpr duration quick_vote_end = milliseconds(300);

frame as_frame(bytes data) { return std::make_shared<const bytes>(std::move(data)); }

/// No cluster gets there. Of a number near the end of its range the next would be a lower one, which two nodes would go on
/// refusing each other.
constexpr std::uint64_t highest_term = std::uint64_t{1} << 62;

}  // namespace

/// Whether most of the nodes of its map are silent, though not dead: with a cluster lock they go first. The map of a process that
/// was just started is the list: they may be at work, unless their hosts say that nobody is there.
bool leader::outnumbered() const {
  if (config_.cluster_lock.empty() || config_.quorum == quorum_rule::none) return false;
  const bool fresh =
      view_->gen == generation::invalid && !mutated(mutant::fresh_is_not_outnumbered);
  if (!fresh && !last_loss_) return false;
  std::size_t here = 0, away = 0;
  for (pnn n : view_->members) {
    const auto* p = view_->find(n);
    if (!p || p->dead || p->absent) continue;
    ++(p->flags & node_flag::disconnected ? away : here);
  }
  return is_outnumbered(here, away);
}

/// Whether a majority of the nodes is asked for and is not here.
bool leader::too_few() const {
  if (config_.quorum != quorum_rule::majority || mutated(mutant::half_is_enough)) return false;
  std::size_t here = 0, all = 0;
  for (const auto& n : view_->nodes) {
    if (n.flags & node_flag::deleted) continue;
    ++all;
    here += !(n.flags & (node_flag::disconnected | node_flag::inactive));
  }
  return !is_majority(here, all);
}

standing leader::own_standing() const {
  const bool fewer = outnumbered();
  const bool can = can_be_leader(inactive(), view_->capabilities & capability::recmaster) &&
                   !(fewer && leaves_lock(env_.loop.now() - last_loss_.value_or(begun_))) &&
                   !too_few();
  const auto us = can ? born_us_ : static_cast<std::uint64_t>(env_.loop.wall_us());
  return {.can_lead = can,
          .inactive = inactive(),
          .priority = {us / 1'000'000, us % 1'000'000},
          .connected = static_cast<std::uint32_t>(connected().size()),
          .only_floe = only_floe(),
          .outnumbered = fewer};
}

/// A leader that was stopped for so long that the others have given it up does not go on where it was: it would recover
/// from the loss of them all, alone, and its records would count as later than those that they went on with. It waits
/// for an election; if nobody comes, it wins that. With a cluster lock the lease says the same.
void leader::check_own_pulse() {
  const auto now = env_.loop.now();
  const auto slept = now - std::exchange(last_turn_, now);
  const auto limit = milliseconds(config_.tunables[tunable::floe_keepalive_limit_ms]);
  if (slept <= std::max<duration>(limit, std::chrono::seconds(2)) || !election_.leads() ||
      !config_.cluster_lock.empty())
    return;
  if (mutated(mutant::hung_leader_goes_on)) return;
  env_.log.tell(event::leader_hung{.ms = std::chrono::duration_cast<milliseconds>(slept).count()});
  auto out = own_standing();
  out.can_lead = false;
  vote(election_event::standing_changed{out});
}

/// A leader that freezes by itself may be one whom others have left out already: what it has begun would end that freeze, and
/// let its node go on in a generation of which nobody else knows (rule R17 of the model, tests/model/README.md).
void leader::check_cut_off() {
  const auto so_far = config_.pulse->cut_offs();
  if (std::exchange(cut_offs_, so_far) == so_far || !watch_.recovering()) return;
  if (!mutated(mutant::frozen_leader_goes_on)) coordinator_.tell(rec_stop{});
}

void leader::vote(const election_input& e) {
  const bool led = election_.leads();
  for (const auto& effect : election_.step(e))
    std::visit([this](const auto& x) { act(x); }, effect);
  if (led && !election_.leads()) watch(watch_event::office_lost{});
  if (!led && election_.leads()) {
    serve_takeovers();
    watch(watch_event::office_won{});
  }
}

/// As connections tell it, from their first moment: half of an election with quick timers and half with slow ones takes long, and
/// its winner is not the same everywhere.
bool leader::only_floe() const {
  return std::ranges::all_of(
      connected(), [this](pnn p) { return p == env_.self || view_->nodes[number(p)].floe; });
}

void leader::act(const election_effect::arm& e) {
  auto after = e.after;
  if (e.timer == election_timer::leader_silent && election_.leader() == pnn::unknown)
    after = std::min(after, first_silence);
  if (e.timer == election_timer::answer && only_floe()) after = quick_answer;
  if (e.timer == election_timer::vote_end && only_floe()) after = quick_vote_end;
  const auto id = ++last_timer_;
  armed_[id] = {e.timer, e.serial};
  env_.loop.after(after, [to = self(), id] { to.tell(leader_timer{id}); });
}

void leader::on(leader_timer& m) {
  if (m.id == 0) return tick();
  auto i = armed_.find(m.id);
  if (i == armed_.end()) return;
  const auto fired = i->second;
  armed_.erase(i);
  vote(fired);
}

void leader::act(const election_effect::send_leader& e) {
  if (last_loss_ && mutated(mutant::stalled_leader_is_silent)) return;
  if (e.leader ==
      env_.self)  // before the other, so that nobody takes that for a claim without a term
    node_.tell(post_message{pnn::broadcast_connected, message::floe_leads,
                            as_frame(wire::encode(e.term)), nullptr});
  node_.tell(post_message{pnn::broadcast_connected, message::leader,
                          as_frame(wire::encode(number(e.leader))), nullptr});
}

void leader::act(const election_effect::send_term& e) {
  env_.log.tell(event::stale_leader{.pnn = e.to, .latest_term = e.term});
  node_.tell(post_message{e.to, e.led ? message::floe_deposed : message::floe_term,
                          as_frame(wire::encode(e.term)), nullptr});
}

void leader::act(const election_effect::say_who_leads& e) {
  node_.tell(
      post_message{e.to, message::leader, as_frame(wire::encode(number(e.leader))), nullptr});
}

void leader::act(const election_effect::send_vote& e) {
  const election_message m{
      .num_connected = e.cast.connected,
      .priority_time = {static_cast<std::int64_t>(e.cast.priority.seconds),
                        static_cast<std::int64_t>(e.cast.priority.microseconds)},
      .pnn = env_.self,
      .node_flags = view_->own_flags()};
  node_.tell(
      post_message{pnn::broadcast_all, message::election, as_frame(wire::encode(m)), nullptr});
}

void leader::act(const election_effect::leader_changed& e) {
  if (e.to == pnn::unknown)
    env_.log.tell(event::leader_unknown{});
  else
    env_.log.tell(event::leader_known{.pnn = e.to, .term = election_.term()});
  // whoever leads has the lock; what kept this node from it may be over, and is tried again when it matters
  if (e.to != pnn::unknown && e.to != env_.self && !lock_trouble_.empty()) {
    lock_trouble_.clear();
    show_lock(lock_standing::held_by_another);
  }
  node_.tell(leader_known{e.to});
}

void leader::on(leader_heard& m) {
  const auto& message = std::get<req_message>(m.packet->content.body);
  const pnn from = m.packet->content.header.src;
  if (!view_->find(from)) return;  // nobody's number: nothing may become of it here
  if (std::ranges::find(request_srvids(), message.srvid) != request_srvids().end())
    return requested(message);
  if (message.srvid == message::banning) return banning_heard(message);
  if (message.srvid == message::floe_look) {
    look_at_participant(from);
    return watch(watch_event::stirred{});
  }
  if (from == env_.self) return;
  if (message.srvid == message::leader) {
    const auto who = wire::decode<std::uint32_t>(message.data);
    if (who && pnn{*who} != from && pnn{*who} != pnn::unknown) {
      const auto* p = view_->find(pnn{*who});
      if (p && (p->flags & node_flag::disconnected))
        vote(election_event::leader_elsewhere{from, pnn{*who}});
      return;
    }
    if (who && (pnn{*who} != from || !say_terms_.contains(from)))
      vote(election_event::leader_heard{from, pnn{*who}, {}});
    return;
  }
  if (message.srvid != message::election) {
    const auto term = wire::decode<std::uint64_t>(message.data);
    if (!term || *term > highest_term) return;
    if (message.srvid != message::floe_leads)
      return vote(election_event::term_heard{*term, message.srvid == message::floe_deposed});
    say_terms_.insert(from);
    return vote(election_event::leader_heard{from, from, *term});
  }
  auto v = wire::decode<election_message>(message.data);
  if (!v || v->pnn != from) return;  // each votes for itself
  vote(election_event::vote_heard{{.node = v->pnn,
                                   .inactive = (v->node_flags & node_flag::inactive) != 0,
                                   .priority = {static_cast<std::uint64_t>(v->priority_time.sec),
                                                static_cast<std::uint64_t>(v->priority_time.usec)},
                                   .connected = v->num_connected}});
}

}  // namespace floe
