#include "protocol/rules/cluster_recovery.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/feature_level.hpp"
#include "protocol/rules/placement.hpp"

namespace floe {
namespace {

/// The bits that are not counted. Leaders of two parts that know the same latest generation count on from it alike, and a
/// leader that was started again begins to count anew: neither may give a generation a name that another one has. So a
/// name says whose it is, and of which of its lives; within one the count goes on. One life is left to replaced contents.
std::uint32_t named_by(pnn leader, std::uint32_t life) {
  constexpr std::uint32_t bits = 6, mask = (1U << bits) - 1;
  if (mutated(mutant::generation_without_life)) life = 0;
  return life % life_of_replaced << bits | (number(leader) & mask);
}

/// The others are bugs that this covers: they are looked for without it.
bool not_named() {
  return mutated(mutant::others_not_named) || mutated(mutant::unheard_outsiders_left_out) ||
         mutated(mutant::outsiders_need_not_store);
}

bool may_lead(std::uint32_t flags, std::uint32_t capabilities) {
  return !(flags & node_flag::inactive) && (capabilities & capability::recmaster);
}

}  // namespace

std::vector<cluster_output> cluster_recovery::step(const cluster_input& event, time_point now) {
  return std::visit([&](const auto& e) { return on(e, now); }, event);
}

// ---- events ----

std::vector<cluster_output> cluster_recovery::on(const cluster_event::start& e, time_point now) {
  assert(!running() && "a recovery is started while one runs");
  plan_ = e.plan;
  std::ranges::sort(plan_.connected);
  members_.clear();
  known_ = plan_.seen;
  slots_.clear();
  copies_.clear();
  databases_.clear();
  failures_.clear();
  map_is_set_ = released_ = false;
  phase_ = cluster_phase::idle;
  return enter(cluster_phase::survey, plan_.connected, now);
}

std::vector<cluster_output> cluster_recovery::on(const cluster_event::surveyed& e, time_point now) {
  if (!expects(e.epoch, cluster_phase::survey, e.node)) return {};
  // A leader that has become inactive would make itself dmaster of every record and serve none.
  if (e.node == plan_.leader && !may_lead(e.flags, e.capabilities))
    return give_up(e.node, failure_cause::unfit, "inactive, or without the leader capability", now);
  known_.push_back(e.gen);
  if (!(e.flags & node_flag::inactive))
    members_.push_back(
        {.node = e.node, .capabilities = e.capabilities, .line = {.gen = e.gen, .members = e.map}});
  return settle(e.node, now);
}

std::vector<cluster_output> cluster_recovery::on(const cluster_event::listed& e, time_point now) {
  if (!expects(e.epoch, cluster_phase::dbmaps, e.node)) return {};
  known_.push_back(e.latest);
  was_in_[e.node] = e.was_in;
  for (const auto& d : e.databases) {
    copies_[d.db].push_back({.node = e.node, .flags = d.flags});
    if (d.line) lines_[{d.db, e.node}] = *d.line;
  }
  return settle(e.node, now);
}

std::vector<cluster_output> cluster_recovery::on(const cluster_event::answered& e, time_point now) {
  if (!expects(e.epoch, e.phase, e.node)) return {};
  if (e.phase == cluster_phase::survey || e.phase == cluster_phase::dbmaps) return {};
  return settle(e.node, now);
}

std::vector<cluster_output> cluster_recovery::on(const cluster_event::failed& e, time_point now) {
  if (!expects(e.epoch, e.phase, e.node)) return {};
  if (may_be_gone(e.node)) return settle(e.node, now);
  if (e.cause == failure_cause::disconnected)
    return on(cluster_event::node_gone{e.epoch, e.node}, now);
  blame(e.node, e.cause, e.detail);
  phase_failed_ = true;
  only_refusals_ = only_refusals_ && e.cause == failure_cause::refused;
  return settle(e.node, now);
}

std::vector<cluster_output> cluster_recovery::on(const cluster_event::node_gone& e,
                                                 time_point now) {
  if (e.epoch != plan_.epoch || !running()) return {};
  if (phase_ == cluster_phase::survey && e.node != plan_.leader) {
    // nothing has been done yet: go on without it
    std::erase_if(members_, [&](const member& m) { return m.node == e.node; });
    const bool owed = expects(e.epoch, phase_, e.node);
    return owed ? settle(e.node, now) : output{};
  }
  const auto all = participants();
  if (std::ranges::find(all, e.node) == all.end()) return {};
  if (may_be_gone(e.node)) return expects(e.epoch, phase_, e.node) ? settle(e.node, now) : output{};
  return give_up(e.node, failure_cause::disconnected, {}, now);
}

/// It takes part, and is in the map: the next recovery takes everything from it, and need not wait until this one has failed.
std::vector<cluster_output> cluster_recovery::on(const cluster_event::cannot_store& e,
                                                 time_point now) {
  if (e.epoch != plan_.epoch || !running() || phase_ == cluster_phase::end_recovery) return {};
  const auto all = participants();
  if (std::ranges::find(all, e.node) == all.end() || leaves(e.node)) return {};
  return give_up(e.node, failure_cause::stopped, "it cannot store what is brought, and leaves",
                 now);
}

std::vector<cluster_output> cluster_recovery::on(const cluster_event::stop& e, time_point now) {
  if (e.epoch != plan_.epoch || !running()) return {};
  return give_up(pnn::unknown, failure_cause::stopped, {}, now);
}

// ---- the course of a phase ----

bool cluster_recovery::expects(recovery_epoch epoch, cluster_phase phase, pnn node) const {
  return epoch == plan_.epoch && phase == phase_ &&
         std::ranges::find(waiting_for_, node) != waiting_for_.end();
}

/// Who leaves goes when it hears that the recovery is over, and its answer may not arrive.
bool cluster_recovery::may_be_gone(pnn node) const {
  return phase_ == cluster_phase::end_recovery && leaves(node);
}

bool cluster_recovery::leaves(pnn node) const {
  const auto m = std::ranges::find(members_, node, &member::node);
  return m != members_.end() && (m->capabilities & capability::leaving);
}

/// The node owes nothing more in this phase.
std::vector<cluster_output> cluster_recovery::settle(pnn node, time_point now) {
  std::erase(waiting_for_, node);
  if (!waiting_for_.empty()) return {};
  return phase_failed_ ? phase_has_failed(now) : phase_complete(now);
}

/// A node refuses NORMAL while it has a database that was attached since they were listed: then that one is recovered as well.
/// Each turn of this loop needs a new database. But whoever took NORMAL may serve it already: what its clients have moved must
/// not be recovered under the generation in which it moves, since packets on their way would still count. That needs another
/// recovery.
std::vector<cluster_output> cluster_recovery::phase_has_failed(time_point now) {
  const auto is_refusal = [](const evidence& f) {
    return f.step == name(cluster_phase::recmode_normal);
  };
  const auto refused = static_cast<std::size_t>(std::ranges::count_if(failures_, is_refusal));
  if (phase_ == cluster_phase::recmode_normal && only_refusals_ &&
      (refused == members_.size() || mutated(mutant::served_generation_recovered))) {
    std::erase_if(failures_, is_refusal);
    return enter(cluster_phase::recmode_active, participants(), now);
  }
  return finish(cluster_phase::failed, now);
}

std::vector<cluster_output> cluster_recovery::phase_complete(time_point now) {
  switch (phase_) {
    case cluster_phase::survey: return survey_complete(now);
    case cluster_phase::recmode_active: return enter(cluster_phase::dbmaps, participants(), now);
    case cluster_phase::dbmaps:
      if (!map_is_set_) {
        // nodes that were started again have told where they were; what is not counted stays as it was
        plan_.gen = next_generation(known_, number(plan_.gen));
        return enter(cluster_phase::start_recovery, participants(), now);
      }
      if (!has_new_databases()) return finish(cluster_phase::failed, now);
      return start_databases(now);
    case cluster_phase::start_recovery:
      return enter(cluster_phase::set_vnn_map, participants(), now);
    case cluster_phase::set_vnn_map: map_is_set_ = true; return start_databases(now);
    case cluster_phase::recmode_normal:
      return enter(cluster_phase::end_recovery, participants(), now);
    case cluster_phase::end_recovery: return finish(cluster_phase::done, now);
    case cluster_phase::idle:
    case cluster_phase::databases:
    case cluster_phase::done:
    case cluster_phase::failed: break;
  }
  assert(false && "a phase ended that asks no nodes");
  return {};
}

std::vector<cluster_output> cluster_recovery::survey_complete(time_point now) {
  std::ranges::sort(members_, {}, &member::node);
  std::vector<map_candidate> candidates;
  candidates.reserve(members_.size());
  for (const auto& m : members_)
    candidates.push_back({m.node, (m.capabilities & capability::lmaster) != 0, leaves(m.node)});
  plan_.gen = next_generation(known_, named_by(plan_.leader, plan_.life));
  slots_ = make_vnn_slots(candidates, plan_.leader);
  return enter(cluster_phase::recmode_active, participants(), now);
}

std::vector<cluster_output> cluster_recovery::enter(cluster_phase to, std::vector<pnn> nodes,
                                                    time_point now) {
  assert(waiting_for_.empty());
  output out{cluster_effect::entered{plan_.epoch, phase_, to}};
  phase_ = to;
  since_ = now;
  phase_failed_ = false;
  only_refusals_ = true;
  if (to == cluster_phase::dbmaps) {
    copies_.clear();
    lines_.clear();
    was_in_.clear();
  }
  if (to == cluster_phase::databases) return out;
  assert(!nodes.empty() && "a recovery without its leader");
  waiting_for_ = nodes;
  out.push_back(cluster_effect::ask{plan_.epoch, to, std::move(nodes), plan_.step_timeout});
  return out;
}

std::vector<cluster_output> cluster_recovery::finish(cluster_phase end, time_point now) {
  output out{cluster_effect::entered{plan_.epoch, phase_, end}};
  if (end == cluster_phase::failed && phase_ == cluster_phase::databases)
    out.push_back(cluster_effect::stop_databases{plan_.epoch});
  out.push_back(cluster_effect::ended{plan_.epoch, end == cluster_phase::done});
  phase_ = end;
  since_ = now;
  waiting_for_.clear();
  return out;
}

std::vector<cluster_output> cluster_recovery::give_up(pnn who, failure_cause cause,
                                                      std::string detail, time_point now) {
  blame(who, cause, std::move(detail));
  return finish(cluster_phase::failed, now);
}

// ---- the databases ----

db_plan cluster_recovery::plan_for(db_id id) const {
  std::vector<lineage_claim> claims;
  const bool with_ctdbd = std::ranges::any_of(
      members_, [](const member& m) { return feature_level_of(m.capabilities) == 0; });
  for (const auto& m : members_) {
    const auto own = lines_.find({id, m.node});
    const bool has =
        std::ranges::find(copies_.at(id), m.node, &db_plan::copy::node) != copies_.at(id).end() ||
        mutated(mutant::absent_copy_counts);
    // the generation of a node's map says nothing about a database that it does not have
    claims.push_back({m.node, own != lines_.end() ? own->second : has ? m.line : lineage{}});
    // a ctdbd cannot tell that its content was replaced as well, and everybody's is
    auto& line = claims.back().line;
    if (with_ctdbd && is_replaced(line.gen) && line.gen == replaced_under(m.line.gen))
      line.gen = m.line.gen;
  }
  const auto took_part = last_generation_members(claims, plan_.leader, plan_.one_part_serves);
  db_plan p{.db = id,
            .gen = plan_.gen,
            .copies = copies_.at(id),
            .seen = plan_.seen,
            .step_timeout = plan_.step_timeout,
            .budget = plan_.db_budget,
            .tries = plan_.db_tries,
            .hold_after_freeze = plan_.freeze_all_first && !released_,
            .floe_only = why_not_floe().empty(),
            .why_not_floe = why_not_floe(),
            .whole = plan_.whole,
            .leader = plan_.leader,
            .verify = plan_.verify,
            .outnumbered = plan_.outnumbered,
            .stays_frozen = !enough_stay()};
  for (const auto& c : claims) {
    if (std::ranges::find(took_part, c.node) == took_part.end()) continue;
    p.all_here &= std::ranges::all_of(c.line.members, [&](pnn n) {
      return std::ranges::find(members_, n, &member::node) != members_.end();
    });
  }
  for (const auto& c : claims) {
    bool counts = std::ranges::find(took_part, c.node) != took_part.end();
    counts |= mutated(mutant::every_copy_counts);
    counts |= mutated(mutant::inactive_copies_count) && c.line.gen == generation::invalid;
    p.participants.push_back(
        {.node = c.node,
         .took_part = counts,
         .content = c.line.committed ? std::optional(c.line.gen) : std::nullopt,
         .met_members = std::ranges::any_of(c.line.members,
                                            [&](pnn m) {
                                              return m != c.node &&
                                                     std::ranges::find(took_part, m) !=
                                                         took_part.end();
                                            }),
         .leaves = leaves(c.node),
         .was_in = c.node == plan_.leader ? plan_.seen : was_in_.at(c.node)});
  }
  return p;
}

/// Where a majority is asked for, those that take part are one; but some take part only to leave, and what the others would
/// acknowledge before they notice that they are too few a later majority would not have.
bool cluster_recovery::enough_stay() const {
  const auto stay = std::ranges::count_if(
      members_, [](const member& m) { return !(m.capabilities & capability::leaving); });
  return static_cast<std::size_t>(stay) >= plan_.needed ||
         mutated(mutant::leavers_make_a_majority) || mutated(mutant::half_is_enough);
}

std::optional<std::vector<pnn>> cluster_recovery::beside_the_map() const {
  auto level = newest_feature_level;
  std::vector<pnn> beside;
  for (const auto& m : members_) {
    level = std::min(level, feature_level_of(m.capabilities));
    if (!leaves(m.node) && std::ranges::find(slots_, m.node) == slots_.end())
      beside.push_back(m.node);
  }
  if (used_feature_level(level, plan_.pinned_level) < level_of_others_named || not_named())
    return std::nullopt;
  return beside;
}

/// Records keep their owners only where every participant that stays can own some: where it is in the map, or named beside it.
/// Empty if they do.
std::string cluster_recovery::why_not_floe() const {
  const bool named = beside_the_map().has_value();
  for (const auto& m : members_) {
    const auto who = "node " + std::to_string(number(m.node));
    if (feature_level_of(m.capabilities) < level_of_difference)
      return who + " is a ctdbd, or an older floe";
    const bool leaves = m.capabilities & capability::leaving;  // and owns nothing afterwards
    if (!leaves && !named && std::ranges::find(slots_, m.node) == slots_.end())
      return who + " is not in the vnn map";
  }
  if (used_feature_level(newest_feature_level, plan_.pinned_level) < level_of_difference)
    return "FeatureLevel is " + std::to_string(plan_.pinned_level);
  return {};
}

// ---- who failed ----

void cluster_recovery::blame(pnn node, failure_cause cause, std::string detail) {
  // CTDB gives no credits here, and tries again for ever. A node that refuses the map or NORMAL may be right.
  const bool bad = cause == failure_cause::timed_out ||
                   (cause == failure_cause::refused && phase_ != cluster_phase::recmode_normal &&
                    phase_ != cluster_phase::set_vnn_map);
  failures_.push_back({.node = node,
                       .cause = cause,
                       .step = name(phase_),
                       .detail = std::move(detail),
                       .credit = bad && node != plan_.leader});
}

std::vector<pnn> cluster_recovery::participants() const {
  std::vector<pnn> nodes;
  nodes.reserve(members_.size());
  for (const auto& m : members_) nodes.push_back(m.node);
  return nodes;
}

std::string_view name(cluster_phase p) {
  switch (p) {
    case cluster_phase::idle: return "idle";
    case cluster_phase::survey: return "survey";
    case cluster_phase::recmode_active: return "recmode_active";
    case cluster_phase::dbmaps: return "dbmaps";
    case cluster_phase::start_recovery: return "start_recovery";
    case cluster_phase::set_vnn_map: return "set_vnn_map";
    case cluster_phase::databases: return "databases";
    case cluster_phase::recmode_normal: return "recmode_normal";
    case cluster_phase::end_recovery: return "end_recovery";
    case cluster_phase::done: return "done";
    case cluster_phase::failed: return "failed";
  }
  std::unreachable();
}

}  // namespace floe
