#include "protocol/rules/commit.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "protocol/mutant.hpp"

namespace floe {

std::vector<pnn> who_must_store(pnn self, std::span<const pnn> map, std::span<const pnn> active) {
  if (std::ranges::find(active, self) == active.end()) return {};
  std::vector<pnn> all(active.begin(), active.end());
  if (!mutated(mutant::commits_by_flags)) all.insert(all.end(), map.begin(), map.end());
  std::ranges::sort(all);
  const auto again = std::ranges::unique(all);
  all.erase(again.begin(), again.end());
  return all;
}

bool good_without(pnn refuses, failure_cause why, std::span<const pnn> map) {
  if (mutated(mutant::outsiders_decide)) return false;
  const bool apart = why == failure_cause::apart ||
                     (why == failure_cause::refused && mutated(mutant::outsiders_need_not_store));
  return apart && std::ranges::find(map, refuses) == map.end();
}

std::vector<pnn> unheard_outsiders(pnn self, std::span<const pnn> map,
                                   std::span<const commit_peer> nodes) {
  std::vector<pnn> all;
  if (mutated(mutant::unheard_outsiders_left_out)) return all;
  for (const auto& n : nodes) {
    const bool member = std::ranges::find(map, n.node) != map.end();
    if (n.node != self && !member && !n.connected && !n.dead) all.push_back(n.node);
  }
  return all;
}

commit_refusal database_commit::begin(recovery_mode mode, db_kind kind, pnn self,
                                      std::span<const pnn> nodes) {
  if (kind == db_kind::volatile_db) return commit_refusal::wrong_kind;
  if (state_ != commit_state::idle) return commit_refusal::busy;
  if (mode != recovery_mode::normal) return commit_refusal::in_recovery;
  if (std::ranges::find(nodes, self) == nodes.end()) return commit_refusal::no_nodes;
  state_ = commit_state::updating;
  mode_ = mode;
  ++number_;
  missing_.assign(nodes.begin(), nodes.end());
  perhaps_stored_ = false;
  trouble_.clear();
  return commit_refusal::none;
}

commit_step database_commit::answered(std::uint64_t commit, pnn node, update_answer what,
                                      std::string_view why) {
  if (state_ != commit_state::updating || commit != number_) return {};
  assert(!missing_.empty() && "a commit waits for nobody");
  std::erase(missing_, node);
  perhaps_stored_ |= what != update_answer::refused;
  if (what != update_answer::stored && trouble_.empty())
    trouble_ = "node " + std::to_string(floe::number(node)) +
               " did not store a transaction: " + std::string(why);
  if (trouble_.empty()) {
    const bool stored = missing_.empty() || mutated(mutant::commit_answered_early);
    return stored ? end(0) : commit_step{};
  }
  const bool may_have_happened = perhaps_stored_ || mode_ == recovery_mode::active;
  if (!may_have_happened) return missing_.empty() ? end(commit_refused, trouble_) : commit_step{};
  state_ = commit_state::undecided;
  if (mode_ == recovery_mode::active) return {};  // it has begun already
  return {.answer = std::nullopt, .why = {}, .recover = trouble_};
}

commit_step database_commit::mode_changed(recovery_mode mode) {
  const bool recovered = mode_ == recovery_mode::active && mode == recovery_mode::normal;
  mode_ = mode;
  if (state_ == commit_state::idle || !recovered) return {};
  // also while answers are missing: what a node did before the recovery is in its outcome, and it
  // will do nothing of the old generation afterwards
  return end(commit_cut_by_recovery, "a recovery came in between");
}

commit_step database_commit::client_gone() {
  if (state_ == commit_state::idle) return {};
  auto s = end(std::nullopt);
  if (mode_ == recovery_mode::normal) s.recover = "a client left in the middle of a commit";
  return s;
}

commit_step database_commit::end(std::optional<std::int32_t> answer, std::string why) {
  assert(state_ != commit_state::idle && "a commit ends twice");
  assert((answer != 0 || state_ == commit_state::updating) &&
         "an undecided commit is acknowledged");
  state_ = commit_state::idle;
  missing_.clear();
  return {.answer = answer, .why = std::move(why), .recover = {}};
}

update_outcome decide_update(db_kind kind, const std::optional<update_present>& here,
                             floe::rsn offered) {
  if (!here) return kind == db_kind::volatile_db ? update_outcome::skip : update_outcome::store;
  if (here->rsn >= offered && !here->same_data) return update_outcome::conflict;
  return update_outcome::store;
}

void update_request::saw(const std::optional<update_present>& here, floe::rsn offered,
                         bool deletes) {
  if (here && here->same_data && here->rsn >= offered)
    again_ = true;
  else if (here || !deletes)  // what was deleted may be gone
    first_ = true;
}

update_refusal check_update(recovery_mode mode, bool inactive, generation packet, generation map) {
  if (inactive) return update_refusal::inactive;
  if (mode != recovery_mode::normal) return update_refusal::in_recovery;
  return packet == map ? update_refusal::none : update_refusal::other_generation;
}

std::string_view name(commit_state s) {
  switch (s) {
    case commit_state::idle: return "idle";
    case commit_state::updating: return "updating";
    case commit_state::undecided: return "undecided";
  }
  std::unreachable();
}

std::string_view name(commit_refusal r) {
  switch (r) {
    case commit_refusal::none: return "";
    case commit_refusal::in_recovery: return "a recovery is going on";
    case commit_refusal::busy: return "another commit to this database is under way";
    case commit_refusal::wrong_kind: return "volatile databases have no transactions";
    case commit_refusal::no_nodes: return "this node is not active";
  }
  std::unreachable();
}

std::string_view name(update_refusal r) {
  switch (r) {
    case update_refusal::none: return "";
    case update_refusal::in_recovery: return "a recovery is going on";
    case update_refusal::inactive: return "this node is not active";
    case update_refusal::other_generation: return "sent before the last recovery";
  }
  std::unreachable();
}

}  // namespace floe
