/// Bans of this node: who set it, why, and when it ends.
#include <fmt/format.h>

#include <algorithm>

#include "actors/node/node.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/membership.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// The reason comes right before the ban, from the same node.
constexpr duration reason_holds = std::chrono::seconds(30);

}  // namespace

void node::set_ban_state(const control_request& r) {
  auto b = wire::decode<ban_state>(r.data);
  if (!b || b->pnn != env_.self) return r.answer.fail("a ban must be sent to the node itself");
  r.answer.good();
  if (b->time == 0) return lift_ban(fmt::format("asked by node {}", number(r.from)));
  const auto told = std::exchange(announced_ban_, std::nullopt);
  if (told && told->by == r.from && env_.loop.now() - told->when <= reason_holds)
    return ban(told->cause, told->why, r.from, b->time);
  ban(ban_cause::asked, fmt::format("asked by {}", r.client ? fmt::format("{} (pid {}) on this node", r.client->name, r.client->pid)
                                                            : fmt::format("node {}", number(r.from))),
      r.from, b->time);
}

void node::ban_reason(const control_request& r) {
  auto text = wire::decode<wire::string>(r.data);
  if (!text) return r.answer.fail();
  const std::string all(text->value);
  const auto space = all.find(' ');
  announced_ban_ = {.by = r.from, .cause = ban_cause_named(all.substr(0, space)).value_or(ban_cause::asked),
                    .why = space == std::string::npos ? std::string() : all.substr(space + 1), .when = env_.loop.now()};
  r.answer.good();
}

void node::on(ban_self& m) { ban(ban_cause::not_frozen, m.why, env_.self, tunables_[tunable::recovery_ban_period]); }

/// Of a node that is inactive already nothing changes but the flag: it stays frozen, and what ends one of the two
/// does not end the other.
void node::ban(ban_cause cause, std::string why, pnn by, std::uint32_t seconds) {
  if (tunables_[tunable::enable_bans] == 0) {
    env_.log.warning(fmt::format("ban-ignored by={} why=\"{}\" because=\"EnableBans is 0\"", number(by), why));
    return;
  }
  env_.log.error(fmt::format("banned seconds={} by={} cause={} why=\"{}\"", seconds, number(by), name(cause), why));
  note("banned", fmt::format("seconds={} by={} cause={} why=\"{}\"", seconds, number(by), name(cause), why));
  ban_ = {.cause = cause, .why = std::move(why), .by = by, .seconds = seconds, .since = env_.loop.now(),
          .since_us = env_.loop.wall_us()};
  set_own_flags(node_flag::banned, 0);
}

void node::lift_ban(const std::string& why) {
  if (!ban_) return;
  env_.log.notice(fmt::format("ban-ended why=\"{}\"", why));
  note("ban-ended", why);
  ban_.reset();
  set_own_flags(0, node_flag::banned);
}

bool node::all_frozen() const {
  return std::ranges::all_of(databases_, [](const auto& d) {
    return !d.second.open || d.second.state == freeze_state::frozen || d.second.state == freeze_state::in_transaction;
  });
}

void node::look_at_ban() {
  if (!ban_) return;
  const auto age = env_.loop.now() - ban_->since;
  switch (judge_ban(ban_->cause, all_frozen(), age, std::chrono::seconds(ban_->seconds))) {
    case ban_state_now::goes_on: return;
    case ban_state_now::ends:
      return lift_ban(ban_->cause == ban_cause::not_frozen ? "every database is frozen now" : "its time is over");
    case ban_state_now::renewed:
      return ban(ban_cause::not_frozen, "still not frozen at the end of a ban: " + ban_->why, env_.self,
                 tunables_[tunable::recovery_ban_period]);
  }
}

void node::get_ban_state(const control_request& r) {
  r.answer.good(wire::encode(ban_state{.pnn = env_.self, .time = ban_ ? ban_->seconds : 0}));
}

/// A client must be disconnected before the leader's three tries for the database are over.
db_holder_rules node::holder_rules() const {
  const auto tries = 2 * std::max(1U, tunables_[tunable::recover_timeout]);
  return {.policy = static_cast<holder_policy>(std::min(2U, tunables_[tunable::lock_holder_policy])),
          .patience = std::chrono::seconds(std::clamp(tunables_[tunable::lock_holder_patience], 1U, tries))};
}

db_settings node::database_settings() const {
  const auto s = [&](tunable t) { return std::chrono::seconds(tunables_[t]); };
  return {.vacuum = {.interval = s(tunable::vacuum_interval),
                     .max_run_time = s(tunable::vacuum_max_run_time),
                     .fast_path_count = tunables_[tunable::vacuum_fast_path_count],
                     .repack_limit = tunables_[tunable::repack_limit]},
          .seqnum_interval = std::chrono::milliseconds(tunables_[tunable::seqnum_interval])};
}

}  // namespace floe
