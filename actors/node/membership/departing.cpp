#include "actors/node/membership/departing.hpp"

#include <algorithm>
#include <utility>

#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/types/database.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// However many recoveries come meanwhile.
constexpr std::chrono::seconds longest_asking{20};

/// What it may not be meanwhile. A leader among floe nodes leads the recovery that takes everything from it, so that nobody has to
/// wait for the next one; a ctdbd would get the records with their owner, which is the leader.
std::uint32_t roles_given_up(const cluster_view& v) {
  const bool floe_only = std::ranges::all_of(v.nodes, [&](const peer_view& n) {
    return (n.flags & node_flag::disconnected) || n.floe || &n == &v.nodes[number(v.self)];
  });
  // it may be the one that is being elected
  const bool leads_on = (v.leader == v.self || v.leader == pnn::unknown) && floe_only;
  return leads_on ? capability::lmaster : capability::lmaster | capability::recmaster;
}

/// The second is a bug that this covers: it is looked for without it.
bool waits_for_nobody() {
  return mutated(mutant::leaves_who_comes_behind) || mutated(mutant::left_to_who_leaves);
}

}  // namespace

void departing::end(std::function<void()> then) {
  if (std::exchange(ends_, true)) return then();  // somebody is in a hurry
  leave([then = std::move(then)](bool) { then(); });
}

void departing::stop_node(const answer_to<control::stop_node>& answer) {
  answer.good();
  continues_ = false;
  if (port_.view().own_flags() & node_flag::stopped || ends_) return;
  take_out(way::stopped, [this](bool) { membership_.set_own_flags(node_flag::stopped, 0); });
}

void departing::take_out(way w, std::function<void(bool)> then) {
  const bool again = !taken_out_.insert_or_assign(w, std::move(then)).second;
  if (again && port_.env.loop.now() - since_ >= hurried_after)
    return feed(departure_event::patience_ended);
  if (!again && !is_leaving() && !then_) leave([this](bool handed_over) { is_out(handed_over); });
}

/// Who is to be stopped and banned has left once. Who is to go on after all has what nobody else has, if it has handed over nothing: it
/// would be thrown away with the first moment in which the node is inactive.
void departing::is_out(bool handed_over) {
  const bool continues = std::exchange(continues_, false);
  for (const auto& [w, then] : std::exchange(taken_out_, {}))
    if (w != way::stopped || !continues || handed_over) then(handed_over);
  state_ = departure::stays;
  port_.change_view(
      [&](cluster_view& v) { v.capabilities = (v.capabilities & ~capability::leaving) | roles_; });
  if (continues) membership_.set_own_flags(0, node_flag::stopped);
}

void departing::continue_node(const answer_to<control::continue_node>& answer) {
  answer.good();
  continues_ = takes_out(way::stopped);
  if (!continues_) membership_.set_own_flags(0, node_flag::stopped);
}

void departing::end_recovery(const answer_to<control::end_recovery>& answer) {
  membership_.end_recovery(answer);
  if (port_.view().leader != port_.env.self) return recovered(port_.view().gen);
  // the others are to hear it, too: it is our recovery, and would be cut off
  port_.env.loop.after(std::chrono::milliseconds(5),
                       [to = port_.self, this, gen = port_.view().gen] {
                         to.tell(work_ended{[this, gen] { recovered(gen); }});
                       });
}

/// Of the end of a recovery that another one has followed already nothing is to be concluded.
void departing::recovered(generation gen) {
  const auto& v = port_.view();
  if (v.gen != gen || v.mode != recovery_mode::normal) return;
  if (state_ == departure::waits && can_hand_over()) return begin_to_leave();
  if (state_ == departure::asked && !can_hand_over()) return wait_for_those_who_come();
  // recoveries that go on taking it along are not asked for without end
  if (state_ == departure::asked && port_.env.loop.now() - since_ > longest_asking)
    return feed(departure_event::patience_ended);
  feed(departure_event::recovered);
}

/// It takes part, and others may not have all that it has.
bool departing::has_something() const {
  const auto& v = port_.view();
  return v.gen != generation::invalid && !(v.own_flags() & node_flag::inactive);
}

/// Who was in the map, and is connected still, has left it in good order: its process is about to end, or it is about to be stopped.
void departing::remember_who_left() {
  const auto& v = port_.view();
  if (v.gen != seen_) {
    for (const pnn p : seen_members_)
      if (!v.is_member(p)) has_left_.insert(p);
    seen_ = v.gen;
    seen_members_ = v.members;
  }
  std::erase_if(has_left_, [&](pnn p) {
    const auto* n = v.find(p);
    return !n || v.is_member(p) || (n->flags & node_flag::inactive);
  });
}

/// Nodes that are there and in no map yet, since they are being filled or have just come.
std::vector<pnn> departing::who_comes() const {
  const auto& v = port_.view();
  std::vector<pnn> all;
  for (std::uint32_t i = 0; i < v.nodes.size(); ++i) {
    const auto& n = v.nodes[i];
    if (pnn{i} == v.self || (n.flags & node_flag::inactive & ~node_flag::catching_up)) continue;
    const bool comes = !v.is_member(pnn{i}) && !has_left_.contains(pnn{i});
    if (comes || (n.flags & node_flag::catching_up)) all.push_back(pnn{i});
  }
  return all;
}

/// A ctdbd is filled by nobody, and is taken in by the next recovery.
void departing::take_in(const std::vector<pnn>& coming) {
  for (const pnn p : coming) {
    if (!port_.view().find(p)->floe) continue;
    call_control wanted{.to = p,
                        .opcode = control::join,
                        .data = wire::encode(join_request{}),
                        .patience = patience_of(departure::asked, {}),
                        .answer = replier()};
    calls_.send(wanted);
  }
}

/// Somebody is there who takes part in what this node takes part in.
bool departing::can_hand_over() const {
  const auto& v = port_.view();
  if (!has_something()) return false;
  return std::ranges::any_of(v.members, [&](pnn p) {
    const auto* n = v.find(p);
    return n && p != v.self && !(n->flags & node_flag::inactive);
  });
}

/// Whoever is to end the recovery that has left this node out, or to lead another one: a member of the map, or one that has come
/// since this node began to leave. Those that only the map misses leave, too.
bool departing::somebody_stays() const {
  const auto& v = port_.view();
  const auto is_in = [](const std::vector<pnn>& map, pnn p) {
    return std::ranges::find(map, p) != map.end();
  };
  for (std::size_t i = 0; i < v.nodes.size(); ++i) {
    const pnn p{static_cast<std::uint32_t>(i)};
    if (p == v.self || (v.nodes[i].flags & node_flag::inactive)) continue;
    if (is_in(v.members, p) || !is_in(members_before_, p)) return true;
  }
  return false;
}

void departing::leave(std::function<void(bool)> then) {
  if (is_leaving() || then_) {
    then_ = std::move(then);  // the process is to end while the node is being stopped
    return;
  }
  then_ = std::move(then);
  since_ = port_.env.loop.now();
  state_ = departure::stays;
  roles_ = 0;
  if (can_hand_over()) return begin_to_leave();
  wait_for_those_who_come();
}

/// Those that were there may be gone while it leaves.
void departing::wait_for_those_who_come() {
  const auto coming = who_comes();
  if (!has_something() || coming.empty() || waits_for_nobody()) return feed(departure_event::alone);
  take_in(coming);
  port_.note(event::node_leaves{.why = std::string(why_it_leaves()) +
                                       "; it waits for those that are about to join"});
  feed(departure_event::others_come);
}

std::string_view departing::why_it_leaves() const {
  if (ends_) return "its process ends";
  if (takes_out(way::banned)) return "it is banned";
  return takes_out(way::stopped) ? "it is stopped" : "it cannot store what a recovery brings";
}

void departing::begin_to_leave() {
  roles_ = port_.view().capabilities & roles_given_up(port_.view());
  map_ = port_.view().gen;
  members_before_ = port_.view().members;
  port_.note(event::node_leaves{.why = std::string(why_it_leaves())});
  feed(departure_event::leave);
}

void departing::view_changed() {
  remember_who_left();
  const auto& v = port_.view();
  if (state_ == departure::waits) {
    if (!can_hand_over() && (!has_something() || who_comes().empty())) feed(departure_event::alone);
    return;
  }
  if (!is_leaving()) return;
  if (v.own_flags() & (node_flag::banned | node_flag::stopped))
    return feed(departure_event::inactive);
  if (state_ == departure::asked && !can_hand_over()) return wait_for_those_who_come();
  if (state_ == departure::without && !somebody_stays()) return feed(departure_event::alone);
  if (v.gen == map_) return;
  map_ = v.gen;
  feed(v.is_member(v.self) ? departure_event::map_with : departure_event::map_without);
}

void departing::feed(departure_event e) {
  const auto before = state_;
  const auto s = step(state_, e);
  state_ = s.next;
  if (s.ask) {
    // an operator may have given it one meanwhile
    roles_ |= port_.view().capabilities & roles_given_up(port_.view());
    port_.change_view([this](cluster_view& v) {
      v.capabilities = (v.capabilities & ~roles_) | capability::leaving;
    });
    membership_.set_mode(recovery_mode::active, "it leaves, and gives what it has to the others");
  }
  if (state_ == departure::waits && before == departure::asked) stay_for_now();
  if (state_ == before && !s.ask) return;
  if (state_ == departure::left)
    left(s.handed_over);
  else
    be_patient();
}

/// As long as it waits it is one like any other. Not on the turn that has brought it here, as in left().
void departing::stay_for_now() {
  port_.self.tell(work_ended{[this] {
    if (state_ != departure::waits) return;
    port_.change_view([&](cluster_view& v) {
      v.capabilities = (v.capabilities & ~capability::leaving) | roles_;
    });
  }});
}

void departing::be_patient() {
  port_.env.loop.cancel(patience_);
  const auto timeout = std::chrono::seconds(port_.tunables[tunable::recover_timeout]);
  patience_ = port_.env.loop.after(patience_of(state_, timeout),
                                   [to = port_.self, this, number = ++waits_] {
                                     to.tell(work_ended{[this, number] {
                                       if (number == waits_) feed(departure_event::patience_ended);
                                     }});
                                   });
}

/// Not on the turn that has brought it here: a view that is being changed is not changed again meanwhile.
void departing::left(bool handed_over) {
  port_.env.loop.cancel(patience_);
  ++waits_;
  port_.self.tell(work_ended{[this, handed_over] {
    const auto ms = in_ms(port_.env.loop.now() - since_);
    if (port_.view().capabilities & capability::leaving)
      port_.note(event::node_left{.handed_over = handed_over, .ms = ms});
    std::exchange(then_, {})(handed_over);
  }});
}

}  // namespace floe
