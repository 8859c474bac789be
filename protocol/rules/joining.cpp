#include "protocol/rules/joining.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace floe {
namespace {

/// A recovery is over sooner, mostly.
constexpr duration rest_time = std::chrono::milliseconds(50);
/// So long nothing may come: the recovery brings the rest.
constexpr duration patience = std::chrono::seconds(10);
/// An election takes tenths of a second; after this time nobody else may be left to lead.
constexpr duration leader_patience = std::chrono::seconds(3);
/// A database whose base is forgotten again and again is recovered more often than it can be sent.
constexpr unsigned most_beginnings = 3;
constexpr unsigned most_askings = 3;

bool is_of(const db_content_entry& e, db_id db) { return e.db_id == db; }

bool claims(std::span<const db_content_entry> all, db_id db, content_claim c) {
  return std::ranges::any_of(all, [&](const auto& e) { return is_of(e, db) && e.claim == c; });
}

/// Generations of which a node knows what it has changed since.
bool knows(std::span<const db_content_entry> all, db_id db, generation g) {
  return std::ranges::any_of(all, [&](const auto& e) {
    return is_of(e, db) && e.generation == g &&
           (e.claim == content_claim::base || e.claim == content_claim::earlier);
  });
}

/// As a recovery would decide now, among the leader's members, which have all one content, and this node.
bool would_count(const content_claims& leader, std::span<const pnn> map,
                 const content_claims& joiner, db_id db) {
  const auto ours = lineage_of(leader.all, db);
  std::vector<lineage_claim> claims;
  for (const pnn n : map) claims.push_back({n, ours});
  claims.push_back({joiner.node, lineage_of(joiner.all, db)});
  const auto counted = last_generation_members(claims, leader.node);
  return std::ranges::find(counted, joiner.node) != counted.end();
}

}  // namespace

lineage lineage_of(std::span<const db_content_entry> all, db_id db) {
  lineage line{.gen = generation::invalid, .members = {}, .committed = true};
  for (const auto& e : all) {
    if (!is_of(e, db) || e.claim != content_claim::member) continue;
    line.gen = e.generation;
    line.members.push_back(pnn{static_cast<std::uint32_t>(e.records)});
  }
  return line;
}

std::vector<joiner_lacks> what_is_lacking(const content_claims& leader, std::span<const pnn> map,
                                          const content_claims& joiner) {
  std::vector<joiner_lacks> lacks;
  for (const auto& ours : leader.all) {
    if (ours.claim != content_claim::base) continue;
    const auto db = ours.db_id;
    if (claims(joiner.all, db, content_claim::serves)) continue;
    const bool shares = std::ranges::any_of(joiner.all, [&](const auto& e) {
      const bool can_say_more = e.claim == content_claim::base ||
                                e.claim == content_claim::earlier ||
                                e.claim == content_claim::filled;
      return is_of(e, db) && can_say_more && knows(leader.all, db, e.generation);
    });
    if (shares || would_count(leader, map, joiner, db)) continue;
    const bool all_known = claims(leader.all, db, content_claim::birth) ||
                           claims(joiner.all, db, content_claim::birth);
    const bool has_some = claims(joiner.all, db, content_claim::base) ||
                          claims(joiner.all, db, content_claim::unknown);
    if (has_some && all_known) continue;
    lacks.push_back({db, ours.records});
  }
  return lacks;
}

std::vector<joining_output> joining::step(const joining_input& event, time_point now) {
  now_ = now;
  out_.clear();
  std::visit([this](const auto& e) { on(e); }, event);
  return std::exchange(out_, {});
}

void joining::on(const joining_event::asked& e) {
  leader_ = e.leader;
  if (state_ != joining_state::out) return;  // it is being filled already
  assert(may_be_asked() && !e.databases.empty() && "asked to be filled in vain");
  ++asked_;
  todo_ = e.databases;
  left_out_ = false;
  beginnings_ = 1;
  anew_ = true;
  progress_ = now_;
  out_.emplace_back(joining_effect::leave{});
  ask(true);
}

void joining::on(const joining_event::came& e) {
  if (state_ != joining_state::filling || e.fill != fill_) return;
  switch (e.what) {
    case fill_end::part:
      progress_ = now_;
      anew_ = false;
      return;
    case fill_end::full: progress_ = now_; return next();
    case fill_end::unknown:
      last_refusal_ = e.why;
      if (++beginnings_ <= most_beginnings) {
        anew_ = true;
        return rest();
      }
      left_out_ = true;
      return next();
    case fill_end::refused: last_refusal_ = e.why; return rest();
    case fill_end::gone: return next();
  }
  std::unreachable();
}

/// The new leader has what the old one had, or says that it has not.
void joining::on(const joining_event::leader_is& e) {
  if (leader_ != e.leader || leader_ != pnn::unknown) since_leader_ = now_;
  leader_ = e.leader;
  if (state_ == joining_state::out) return;
  if (leader_ == self_) return end(false, "this node leads");
  if (leader_ != pnn::unknown) ask(anew_);
}

void joining::on(const joining_event::woke& e) {
  if (state_ != joining_state::resting || e.fill != fill_) return;
  if (out_of_patience()) return end(false, why_no_more());
  if (leader_ == pnn::unknown) return rest();
  ask(anew_);
}

/// Answers that do not come at all are missed here.
void joining::on(const joining_event::ticked&) {
  if (state_ == joining_state::out || !out_of_patience()) return;
  end(false, why_no_more());
}

void joining::on(const joining_event::left&) {
  if (state_ != joining_state::out) end(false, "this node takes no part");
}

/// Nor is it filled if it is asked to after that.
void joining::on(const joining_event::needed& e) {
  gave_up_ = true;
  if (state_ != joining_state::out) end(false, e.why);
}

void joining::on(const joining_event::taken_in&) {
  assert(state_ == joining_state::out && "it was taken in before it was full");
  asked_ = 0;
  gave_up_ = false;
}

bool joining::may_be_asked() const {
  return state_ != joining_state::out || (!gave_up_ && asked_ < most_askings);
}

void joining::ask(bool anew) {
  assert(!todo_.empty() && "nothing is lacking");
  state_ = joining_state::filling;
  fill_ = fill_number{number(fill_) + 1};
  out_.emplace_back(joining_effect::fill{fill_, todo_.front(), leader_, anew});
}

void joining::rest() {
  state_ = joining_state::resting;
  out_.emplace_back(joining_effect::rest{fill_, rest_time});
}

void joining::next() {
  todo_.erase(todo_.begin());
  beginnings_ = 1;
  anew_ = true;
  if (!todo_.empty()) return ask(true);
  end(!left_out_, left_out_ ? last_refusal_ : std::string());
}

void joining::end(bool full, std::string why) {
  assert(state_ != joining_state::out && "it was not being filled");
  state_ = joining_state::out;
  gave_up_ |= !full;
  todo_.clear();
  last_refusal_.clear();
  out_.emplace_back(joining_effect::ready{full, std::move(why)});
}

bool joining::out_of_patience() const {
  return now_ - progress_ >= patience ||
         (leader_ == pnn::unknown && now_ - since_leader_ >= leader_patience);
}

std::string joining::why_no_more() const {
  if (leader_ == pnn::unknown) return "nobody leads";
  return last_refusal_.empty() ? "nothing came any more" : last_refusal_;
}

std::string_view name(joining_state s) {
  switch (s) {
    case joining_state::out: return "out";
    case joining_state::filling: return "filling";
    case joining_state::resting: return "resting";
  }
  std::unreachable();
}

}  // namespace floe
