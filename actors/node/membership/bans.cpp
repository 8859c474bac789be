#include "actors/node/membership/bans.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/messages.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/departure.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/membership.hpp"
#include "storage/room.hpp"

namespace floe {
namespace {

/// The reason comes right before the ban, from the same node.
constexpr duration reason_holds = std::chrono::seconds(30);

/// These bugs are looked for without the rule that covers them.
bool leaves_at_once() {
  return mutated(mutant::full_node_leaves_at_once) ||
         mutated(mutant::leaves_for_what_a_tool_brings) || mutated(mutant::leaves_for_a_client);
}

}  // namespace

void bans::set_ban_state(const request_of<control::set_ban_state>& b, const caller& by,
                         const answer_to<control::set_ban_state>& answer) {
  if (b.pnn != port_.env.self) return answer.fail("a ban must be sent to the node itself");
  answer.good();
  lifted_.clear();
  if (b.time == 0)
    for (const auto w : {departing::way::banned, departing::way::cannot_store})
      if (departing_.takes_out(w)) lifted_.insert(w);
  if (b.time == 0) return lift(fmt::format("asked by node {}", number(by.from)));
  const auto told = std::exchange(announced_, std::nullopt);
  if (told && told->by == by.from && port_.env.loop.now() - told->when <= reason_holds)
    return set(told->cause, told->why, by.from, b.time);
  const auto who = by.client
                       ? fmt::format("{} (pid {}) on this node", by.client->name, by.client->pid)
                       : fmt::format("node {}", number(by.from));
  ban_in_good_order("asked by " + who, by.from, b.time);
}

/// An operator has time: what the node has goes to the others first. A node that others ban spoils their recoveries.
void bans::ban_in_good_order(std::string why, pnn by, std::uint32_t seconds) {
  const bool out = port_.view().own_flags() & node_flag::inactive;
  if (out || port_.tunables[tunable::enable_bans] == 0)
    return set(ban_cause::asked, std::move(why), by, seconds);
  departing_.take_out(departing::way::banned,
                      [this, why = std::move(why), by, seconds](bool handed_over) {
                        if (lifted_.erase(departing::way::banned) > 0) return go_on(handed_over);
                        if (!ban_) set(ban_cause::asked, why, by, seconds);
                      });
}

/// The ban was lifted before the node had left. With what only it has it stays; else it has left, and comes back as whoever was away.
void bans::go_on(bool handed_over) {
  if (!handed_over) return;
  membership_.set_own_flags(node_flag::banned, 0);
  if (!ban_) membership_.set_own_flags(0, node_flag::banned);
}

outcome_of<control::ban_reason> bans::ban_reason(const request_of<control::ban_reason>& text,
                                                 const caller& by) {
  const std::string all(text.value);
  const auto space = all.find(' ');
  announced_ = {.by = by.from,
                .cause = ban_cause_named(all.substr(0, space)).value_or(ban_cause::asked),
                .why = space == std::string::npos ? std::string() : all.substr(space + 1),
                .when = port_.env.loop.now()};
  return {};
}

void bans::ban_self(const floe::ban_self& b) {
  if (b.looks_for_room) remember_lack_of_room(b.of);
  if (ban_) {
    if (b.cause == ban_cause::cannot_store && !b.looks_for_room) ban_->for_want_of_room = false;
    return;
  }
  if (b.cause != ban_cause::cannot_store)
    return set(b.cause, b.why, port_.env.self, port_.tunables[tunable::recovery_ban_period]);
  if (is_last_one()) return port_.env.log.tell(event::no_node_to_leave_to{.why = b.why});
  if (port_.tunables[tunable::enable_bans] == 0 || leaves_at_once()) {
    set(b.cause, b.why, port_.env.self, port_.tunables[tunable::recovery_ban_period]);
    if (ban_) ban_->for_want_of_room = b.looks_for_room;
    return;
  }
  if (leaving_) {
    leaving_->for_want_of_room &= b.looks_for_room;
    return;
  }
  leaving_ =
      leaving{.why = b.why, .since = port_.env.loop.now(), .for_want_of_room = b.looks_for_room};
  departing_.take_out(departing::way::cannot_store,
                      [this](bool handed_over) { has_left(handed_over); });
  // the recovery under way cannot succeed any more, and the next one takes everything from this node
  port_.self.tell(post_message{port_.view().leader, message::floe_look,
                               std::make_shared<const bytes>(), nullptr});
}

/// Everything is with the others, or could not be given to them. Another one may have left for the same reason meanwhile.
void bans::has_left(bool handed_over) {
  const auto now = *std::exchange(leaving_, std::nullopt);
  if (ban_) return;
  if (lifted_.erase(departing::way::cannot_store) > 0) return go_on(handed_over);
  if (is_last_one()) return port_.env.log.tell(event::no_node_to_leave_to{.why = now.why});
  set(ban_cause::cannot_store, now.why, port_.env.self,
      port_.tunables[tunable::recovery_ban_period]);
  if (ban_) ban_->for_want_of_room = now.for_want_of_room;
}

/// In good order, if those who recover can do without it.
void bans::hurry() {
  if (!leaving_ || !departing_.is_leaving()) return;
  const auto& all = port_.view().nodes;
  const bool floe_only = std::ranges::all_of(all, [&](const peer_view& n) {
    return (n.flags & node_flag::disconnected) || n.floe || &n == &all[number(port_.env.self)];
  });
  const auto age = port_.env.loop.now() - leaving_->since;
  if (age >= patience_without_store(floe_only && leaving_->for_want_of_room))
    departing_.take_out(departing::way::cannot_store,
                        [this](bool handed_over) { has_left(handed_over); });
}

/// Nobody would go on instead. Who leaves in good order is active as long as he does, but in the map no more.
bool bans::is_last_one() const {
  const auto& view = port_.view();
  const bool alone = view.members.size() == 1 && view.members[0] == port_.env.self;
  if (alone && !mutated(mutant::left_to_who_leaves)) return true;
  return std::ranges::count_if(
             view.nodes, [](const peer_view& n) { return !(n.flags & node_flag::inactive); }) < 2;
}

void bans::room_is_back(db_id db) { short_of_room_.erase(db); }

void bans::remember_lack_of_room(db_id of) {
  short_of_room_.insert(of);
  if (databases_.find(of)) return;  // it looks for room itself
  auto& file = unmade_files_[of];
  file.look_at = port_.env.loop.now() + room_pause(++file.failures);
}

/// On behalf of databases that could not be opened, and have nobody to look for them.
void bans::look_for_room() {
  const auto now = port_.env.loop.now();
  for (auto& [id, file] : unmade_files_) {
    if (!short_of_room_.contains(id) || now < file.look_at) continue;
    if (std::ranges::all_of(
            std::array{port_.config.volatile_dir, port_.config.persistent_dir},
            [&](const auto& dir) { return has_room_for_new_store(dir, port_.env.disk); }))
      room_is_back(id);
    else
      file.look_at = now + room_pause(file.failures);
  }
  std::erase_if(unmade_files_, [&](const auto& one) {
    const auto* db = databases_.find(one.first);
    return db && db->open;
  });
}

/// Of a node that is inactive already nothing changes but the flag: it stays frozen, and what ends one of the two
/// does not end the other.
void bans::set(ban_cause cause, std::string why, pnn by, std::uint32_t seconds) {
  if (port_.tunables[tunable::enable_bans] == 0) {
    port_.env.log.tell(event::ban_ignored{.by = by, .why = why, .because = "EnableBans is 0"});
    return;
  }
  port_.note(event::banned{.seconds = seconds, .by = by, .cause = name(cause), .why = why});
  ban_ = {.cause = cause,
          .why = std::move(why),
          .by = by,
          .seconds = seconds,
          .since = port_.env.loop.now(),
          .since_us = port_.env.loop.wall_us()};
  membership_.set_own_flags(node_flag::banned, 0);
}

void bans::lift(const std::string& why) {
  if (!ban_) return;
  port_.note(event::ban_ended{.why = why});
  ban_.reset();
  membership_.set_own_flags(0, node_flag::banned);
}

void bans::tick() {
  look_for_room();
  std::erase_if(short_of_room_, [&](db_id d) {
    return !databases_.all().contains(d) && !unmade_files_.contains(d);
  });
  hurry();
  if (!ban_) return;
  const auto age = port_.env.loop.now() - ban_->since;
  const auto length = std::chrono::seconds(ban_->seconds);
  const ban_sight sight{.frozen = databases_.all_frozen(),
                        .room = ban_->for_want_of_room && short_of_room_.empty()};
  switch (judge_ban(ban_->cause, sight, age, length)) {
    case ban_state_now::goes_on: return;
    case ban_state_now::ends:
      if (age >= length) return lift("its time is over");
      return lift(ban_->cause == ban_cause::not_frozen ? "every database is frozen now"
                                                       : "the disk has room again");
    case ban_state_now::renewed:
      return set(ban_cause::not_frozen, "still not frozen at the end of a ban: " + ban_->why,
                 port_.env.self, port_.tunables[tunable::recovery_ban_period]);
  }
}

outcome_of<control::get_ban_state> bans::get_ban_state() const {
  return reply_of<control::get_ban_state>{.pnn = port_.env.self, .time = ban_ ? ban_->seconds : 0};
}

}  // namespace floe
