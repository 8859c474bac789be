/// The databases of one recovery of the cluster: which are begun, tried again or given up, and when the recovery goes on
/// because all have ended. The phases are in cluster_recovery.cpp.
#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <utility>

#include "protocol/rules/cluster_recovery.hpp"

namespace floe {

using db_state = cluster_recovery::db_state;

std::vector<cluster_output> cluster_recovery::on(const cluster_event::db_held& e, time_point now) {
  if (e.epoch != plan_.epoch || phase_ != cluster_phase::databases) return {};
  const auto d = databases_.find(e.db);
  if (d == databases_.end() || d->second.state != db_state::running) return {};
  d->second.state = db_state::held;
  return databases_progress(now);
}

std::vector<cluster_output> cluster_recovery::on(const cluster_event::db_ended& e, time_point now) {
  if (e.epoch != plan_.epoch || phase_ != cluster_phase::databases) return {};
  const auto it = databases_.find(e.db);
  if (it == databases_.end()) return {};
  database& d = it->second;
  if (d.state != db_state::running && d.state != db_state::held) return {};
  std::ranges::copy(e.failures, std::back_inserter(failures_));
  if (e.committed)
    for (auto& p : d.plan.participants) p.took_part = true;
  if (e.good) {
    d.state = db_state::done;
  } else if (e.conflict) {
    d.state = db_state::given_up;
  } else if (e.outdated) {
    return finish(cluster_phase::failed,
                  now);  // who counts is to be told anew, by another recovery
  } else if (plan_.freeze_all_first && !released_) {
    d.state = db_state::failed;
    return give_verdict(now);
  } else if (d.round >= plan_.db_rounds) {
    d.state = db_state::failed;
  } else {
    d.state = db_state::resting;
    ++d.round;
    output out;
    out.emplace_back(
        cluster_effect::wake{plan_.epoch, cluster_event::alarm::retry, plan_.retry_pause});
    return out;
  }
  return databases_progress(now);
}

std::vector<cluster_output> cluster_recovery::on(const cluster_event::woke& e, time_point now) {
  if (e.epoch != plan_.epoch || phase_ != cluster_phase::databases) return {};
  switch (e.why) {
    case cluster_event::alarm::freeze_all:
      return plan_.freeze_all_first && !released_ ? give_verdict(now) : output{};
    case cluster_event::alarm::retry: break;
  }
  output out;
  for (auto& [id, d] : databases_) {
    if (d.state != db_state::resting) continue;
    d.state = db_state::running;
    out.push_back(cluster_effect::recover{plan_.epoch, d.plan});
  }
  return out;
}

bool cluster_recovery::has_new_databases() const {
  return std::ranges::any_of(copies_, [&](const auto& c) { return !databases_.contains(c.first); });
}

std::vector<cluster_output> cluster_recovery::start_databases(time_point now) {
  output out = enter(cluster_phase::databases, {}, now);
  for (const auto& [id, copies] : copies_) {
    const auto [it, is_new] = databases_.try_emplace(id);
    if (!is_new) continue;
    it->second.plan = plan_for(id);
    out.push_back(cluster_effect::recover{plan_.epoch, it->second.plan});
  }
  if (plan_.freeze_all_first && !released_)
    out.push_back(cluster_effect::wake{plan_.epoch, cluster_event::alarm::freeze_all,
                                       plan_.freeze_all_deadline});
  std::ranges::move(databases_progress(now), std::back_inserter(out));
  return out;
}

/// Looks whether all databases are frozen (diagnostic mode) or ended.
std::vector<cluster_output> cluster_recovery::databases_progress(time_point now) {
  const auto in = [&](std::initializer_list<db_state> states) {
    return std::ranges::all_of(databases_, [&](const auto& d) {
      return std::ranges::find(states, d.second.state) != states.end();
    });
  };
  if (plan_.freeze_all_first && !released_) {
    if (!in({db_state::held, db_state::given_up})) return {};
    released_ = true;
    output out;
    for (auto& [id, d] : databases_) {
      d.plan.hold_after_freeze = false;
      if (d.state != db_state::held) continue;
      d.state = db_state::running;
      out.push_back(cluster_effect::release{plan_.epoch, id});
    }
    if (!out.empty()) return out;
  }
  if (in({db_state::done, db_state::given_up}))
    return enter(cluster_phase::recmode_normal, participants(), now);
  if (in({db_state::done, db_state::given_up, db_state::failed}))
    return finish(cluster_phase::failed, now);
  return {};
}

/// Not all databases are frozen, and they will not be.
std::vector<cluster_output> cluster_recovery::give_verdict(time_point now) {
  cluster_effect::deadlock verdict{.epoch = plan_.epoch};
  for (const auto& [id, d] : databases_) {
    if (d.state == db_state::given_up) continue;
    (d.state == db_state::held ? verdict.frozen : verdict.not_frozen).push_back(id);
  }
  output out;
  out.emplace_back(std::move(verdict));
  std::ranges::move(give_up(pnn::unknown, failure_cause::deadlock, {}, now),
                    std::back_inserter(out));
  return out;
}

}  // namespace floe
