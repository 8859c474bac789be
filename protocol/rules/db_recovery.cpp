#include "protocol/rules/db_recovery.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>

#include "protocol/mutant.hpp"

namespace floe {
namespace {

/// Whether a node that fails in this phase is to blame for it, rather than the recovery or a peer. One that refuses to
/// attach a database will not have its name, its kind or one more: nobody is banned for what is asked of it.
bool charges(db_phase phase, failure_cause cause) {
  if (cause != failure_cause::refused && cause != failure_cause::timed_out &&
      cause != failure_cause::count_mismatch)
    return false;
  if (phase == db_phase::attach) return cause == failure_cause::timed_out;
  return phase == db_phase::freeze || phase == db_phase::pull;
}

/// Whether what is asked for in this phase is of use only to whoever is asked.
bool gives_to_nodes(db_phase phase) {
  switch (phase) {
    case db_phase::attach:
    case db_phase::wipe:
    case db_phase::push_start:
    case db_phase::push_confirm:
    case db_phase::commit:
    case db_phase::verify:
    case db_phase::thaw: return true;
    default: return false;
  }
}

void append(std::vector<db_output>& to, std::vector<db_output> more) {
  std::ranges::move(more, std::back_inserter(to));
}

}  // namespace

std::vector<db_output> db_recovery::step(const db_input& event, time_point now) {
  return std::visit([&](const auto& e) { return on(e, now); }, event);
}

// ---- events ----

std::vector<db_output> db_recovery::on(const db_event::start& e, time_point now) {
  assert(!running() && "a recovery is started while it runs");
  assert(!e.plan.copies.empty() && e.plan.tries > 0);
  plan_ = e.plan;
  std::ranges::sort(plan_.participants, {}, &db_plan::participant::node);
  deadline_ = now + plan_.budget;
  attempt_ = 1;
  run_ = run_number{number(run_) + 1};
  failures_.clear();
  done_without_.clear();
  conflict_ = committed_ = outdated_ = differed_ = false;
  if (committed_gen_ != plan_.gen) committed_by_.clear();
  committed_gen_ = plan_.gen;
  only_committed_count();
  name_.clear();
  phase_ = db_phase::idle;
  if (!same_kinds()) return finish(db_phase::failed, now);
  assert(!who_has(true).empty() && "nobody has the database");
  return enter(db_phase::names, who_has(true), now);
}

std::vector<db_output> db_recovery::on(const db_event::answered& e, time_point now) {
  if (!expects(e.run, e.phase, e.node)) return {};
  switch (e.phase) {
    case db_phase::names: names_.emplace_back(e.node, e.text); break;
    case db_phase::seqnum:
      seqnums_.push_back({.node = e.node, .number = e.number, .past = e.past});
      if (!e.whole) damaged_.push_back(e.node);
      break;
    case db_phase::changes:
    case db_phase::copies:
    case db_phase::fill:
    case db_phase::pull:
      if (e.arrived != e.number)
        blame(e.node, failure_cause::count_mismatch,
              "announced " + std::to_string(e.number) + ", arrived " + std::to_string(e.arrived));
      pulled_ += e.arrived;
      break;
    case db_phase::begin:
      if (e.copy) told_.emplace_back(e.node, *e.copy);
      break;
    case db_phase::push_confirm:
      if (const auto sent = sent_to(e.node); e.number != sent)
        blame(e.node, failure_cause::count_mismatch,
              "sent " + std::to_string(sent) + ", stored " + std::to_string(e.number));
      else
        ++confirmed_;
      break;
    case db_phase::attach:
    case db_phase::freeze:
    case db_phase::wipe:
    case db_phase::push_start: break;
    case db_phase::verify: digests_.emplace_back(e.node, e.number); break;
    case db_phase::commit: committed_by_.push_back(e.node); break;
    case db_phase::thaw:
    case db_phase::idle:
    case db_phase::held:
    case db_phase::compare:
    case db_phase::merge:
    case db_phase::push:
    case db_phase::done:
    case db_phase::failed: break;
  }
  return settle(e.node, now);
}

std::vector<db_output> db_recovery::on(const db_event::failed& e, time_point now) {
  if (e.cause == failure_cause::disconnected && e.run == run_ && running()) {
    blame(e.node, e.cause, e.detail);
    return finish(db_phase::failed, now);  // no try with these participants can succeed
  }
  if (!expects(e.run, e.phase, e.node)) return {};
  const bool failed_before = phase_failed_;
  blame(e.node, e.cause, e.detail);
  if (can_do_without(e.node)) {
    phase_failed_ = failed_before;
    const auto p = std::ranges::find(plan_.participants, e.node, &db_plan::participant::node);
    done_without_.push_back(*p);
    plan_.participants.erase(p);
  }
  return settle(e.node, now);
}

/// It leaves, and has given what it has; and somebody stays for whom the recovery goes on.
bool db_recovery::can_do_without(pnn node) const {
  if (mutated(mutant::leaver_must_store)) return false;
  const auto& all = plan_.participants;
  const auto p = std::ranges::find(all, node, &db_plan::participant::node);
  return p != all.end() && p->leaves && gives_to_nodes(phase_) &&
         std::ranges::any_of(all, [](const auto& x) { return !x.leaves; });
}

std::vector<db_output> db_recovery::on(const db_event::compared& e, time_point now) {
  if (e.run != run_ || phase_ != db_phase::compare) return {};
  if (e.too_many) {
    base_ = generation::invalid;
    why_whole_ = "too many changes";
    return enter(db_phase::pull, pull_sources(), now);
  }
  return enter(db_phase::copies, e.ask, now);
}

std::vector<db_output> db_recovery::on(const db_event::merged& e, time_point now) {
  if (e.run != run_ || phase_ != db_phase::merge) return {};
  merged_ = e.records;
  lack_ = e.lack;
  if (by_difference() && targets().empty()) return enter(db_phase::commit, everybody(), now);
  return enter(db_phase::wipe, wiped(), now);
}

std::vector<db_output> db_recovery::on(const db_event::pushed& e, time_point now) {
  if (e.run != run_ || phase_ != db_phase::push) return {};
  return enter(db_phase::push_confirm, targets(), now);
}

std::vector<db_output> db_recovery::on(const db_event::broke& e, time_point now) {
  if (e.run != run_ ||
      (phase_ != db_phase::compare && phase_ != db_phase::merge && phase_ != db_phase::push))
    return {};
  blame(pnn::unknown, failure_cause::local, e.detail);
  return try_failed(now);
}

std::vector<db_output> db_recovery::on(const db_event::release& e, time_point now) {
  if (e.run != run_ || phase_ != db_phase::held) return {};
  return enter(db_phase::begin, everybody(), now);
}

std::vector<db_output> db_recovery::on(const db_event::stop&, time_point now) {
  if (!running()) return {};
  blame(pnn::unknown, failure_cause::stopped, {});
  return finish(db_phase::failed, now);
}

// ---- the course of a phase ----

bool db_recovery::expects(run_number run, db_phase phase, pnn node) const {
  return run == run_ && phase == phase_ &&
         std::ranges::find(waiting_for_, node) != waiting_for_.end();
}

/// The node owes nothing more in this phase.
std::vector<db_output> db_recovery::settle(pnn node, time_point now) {
  std::erase(waiting_for_, node);
  if (!waiting_for_.empty()) return {};
  if (phase_failed_) return try_failed(now);
  return phase_complete(now);
}

std::vector<db_output> db_recovery::phase_complete(time_point now) {
  switch (phase_) {
    case db_phase::names:
      if (!same_names()) return finish(db_phase::failed, now);
      return enter(db_phase::attach, who_has(false), now);
    case db_phase::attach: return enter(db_phase::freeze, everybody(), now);
    case db_phase::freeze:
      return plan_.hold_after_freeze ? enter(db_phase::held, now)
                                     : enter(db_phase::begin, everybody(), now);
    case db_phase::begin:
      if (!contents_as_told()) return finish(db_phase::failed, now);
      if (kind_ != db_kind::volatile_db) return enter(db_phase::seqnum, everybody(), now);
      choose_way();
      if (history_is_missing()) return enter(db_phase::seqnum, everybody(), now);
      return look_at_contents(now);
    case db_phase::seqnum: {
      if (kind_ == db_kind::volatile_db) {
        let_replaced_count();
        choose_way();
        look_where_parts_left();
        return look_at_contents(now);
      }
      unchanged_ = all_equal();
      if (unchanged_) return enter(db_phase::commit, everybody(), now);
      auto sources = pull_sources();
      why_whole_ = plan_.whole ? why_everything() : who_supplies(sources);
      return enter(db_phase::pull, std::move(sources), now);
    }
    case db_phase::changes: {
      std::vector<pnn> source;
      const bool filled = !fresh().empty() && !mutated(mutant::joiner_not_filled);
      if (filled || !overflowed().empty()) source = {fill_source()};
      return enter(db_phase::fill, std::move(source), now);
    }
    case db_phase::fill: return enter(db_phase::compare, now);
    case db_phase::copies: return enter(db_phase::merge, now);
    case db_phase::pull: return enter(db_phase::merge, now);
    case db_phase::wipe: return enter(db_phase::push_start, targets(), now);
    case db_phase::push_start: return enter(db_phase::push, now);
    case db_phase::push_confirm: return enter(db_phase::commit, everybody(), now);
    case db_phase::commit:
      // from here on every node serves this generation, and must count if a thaw fails
      committed_ = true;
      for (auto& p : plan_.participants) p.took_part = true;
      return plan_.verify && plan_.floe_only ? enter(db_phase::verify, everybody(), now)
                                             : enter(db_phase::thaw, to_thaw(), now);
    case db_phase::verify:
      if (!equal_contents()) return try_failed(now);
      return enter(db_phase::thaw, to_thaw(), now);
    case db_phase::thaw: return finish(db_phase::done, now);
    case db_phase::idle:
    case db_phase::held:
    case db_phase::compare:
    case db_phase::merge:
    case db_phase::push:
    case db_phase::done:
    case db_phase::failed: break;
  }
  assert(false && "a phase ended that asks no nodes");
  return {};
}

std::vector<db_output> db_recovery::look_at_contents(time_point now) {
  if (!by_difference()) return enter(db_phase::pull, pull_sources(), now);
  auto asked = members();
  std::ranges::copy(returning(), std::back_inserter(asked));
  std::ranges::copy(filled(), std::back_inserter(asked));
  return enter(db_phase::changes, std::move(asked), now);
}

/// Enters a phase that asks nodes; with nobody to ask it is complete at once.
std::vector<db_output> db_recovery::enter(db_phase to, std::vector<pnn> nodes, time_point now) {
  auto out = enter(to, now);
  if (phase_ != to) return out;  // out of time
  waiting_for_ = nodes;
  if (nodes.empty()) {
    append(out, phase_complete(now));
    return out;
  }
  const duration left = deadline_ - now;
  out.push_back(db_effect::ask{run_, to, std::move(nodes), std::min(plan_.step_timeout, left)});
  return out;
}

std::vector<db_output> db_recovery::enter(db_phase to, time_point now) {
  assert(waiting_for_.empty());
  if (now >= deadline_) {
    blame(pnn::unknown, failure_cause::deadline, {});
    return finish(db_phase::failed, now);
  }
  output out{db_effect::entered{run_, phase_, to}};
  phase_ = to;
  since_ = now;
  phase_failed_ = false;
  if (to == db_phase::names) {
    names_.clear();
    seqnums_.clear();
    damaged_.clear();
    told_.clear();
    parted_.clear();
    lack_.clear();
    digests_.clear();
    base_ = generation::invalid;
    why_whole_.clear();
    unchanged_ = false;
    pulled_ = merged_ = 0;
    confirmed_ = 0;
  }
  if (to == db_phase::held) out.push_back(db_effect::held{run_});
  if (to == db_phase::compare) out.push_back(db_effect::compare{run_});
  if (to == db_phase::merge) out.push_back(db_effect::merge{run_});
  if (to == db_phase::push)
    out.push_back(db_effect::push{run_, targets(), std::min(plan_.step_timeout, deadline_ - now)});
  return out;
}

std::vector<db_output> db_recovery::try_failed(time_point now) {
  waiting_for_.clear();
  // some have thawed, and serve this generation: it is not recovered once more, since packets on their way would still count
  if (phase_ == db_phase::thaw) {
    outdated_ = true;
    return finish(db_phase::failed, now);
  }
  if (attempt_ >= plan_.tries) {
    // the others need not wait for a database that some node will not have
    conflict_ = phase_ == db_phase::attach && std::ranges::all_of(failures_, [](const auto& f) {
                  return f.step != name(db_phase::attach) || f.cause == failure_cause::refused;
                });
    return finish(db_phase::failed, now);
  }
  ++attempt_;
  run_ = run_number{number(run_) + 1};
  // nobody may have committed what these have
  std::ranges::move(done_without_, std::back_inserter(plan_.participants));
  done_without_.clear();
  std::ranges::sort(plan_.participants, {}, &db_plan::participant::node);
  only_committed_count();
  return enter(db_phase::names, who_has(true), now);
}

/// Some have committed this generation and some have not (a full disk): who has, has all there was; who has not
/// would bring records back that the others have dropped as deleted.
void db_recovery::only_committed_count() {
  if (committed_by_.empty() || mutated(mutant::half_a_commit_forgotten)) return;
  for (auto& p : plan_.participants)
    p.took_part = std::ranges::find(committed_by_, p.node) != committed_by_.end();
}

std::vector<db_output> db_recovery::finish(db_phase end, time_point now) {
  output out{db_effect::entered{run_, phase_, end}, db_effect::ended{run_, end == db_phase::done}};
  phase_ = end;
  since_ = now;
  waiting_for_.clear();
  return out;
}

// ---- who failed ----

void db_recovery::blame(pnn node, failure_cause cause, std::string detail) {
  phase_failed_ = true;
  failures_.push_back({.node = node,
                       .cause = cause,
                       .db = plan_.db,
                       .step = name(phase_),
                       .detail = std::move(detail),
                       .credit = charges(phase_, cause)});
}

std::string_view name(db_phase p) {
  switch (p) {
    case db_phase::idle: return "idle";
    case db_phase::names: return "names";
    case db_phase::attach: return "attach";
    case db_phase::freeze: return "freeze";
    case db_phase::held: return "held";
    case db_phase::begin: return "begin";
    case db_phase::seqnum: return "seqnum";
    case db_phase::changes: return "changes";
    case db_phase::fill: return "fill";
    case db_phase::compare: return "compare";
    case db_phase::copies: return "copies";
    case db_phase::pull: return "pull";
    case db_phase::merge: return "merge";
    case db_phase::wipe: return "wipe";
    case db_phase::push_start: return "push_start";
    case db_phase::push: return "push";
    case db_phase::push_confirm: return "push_confirm";
    case db_phase::commit: return "commit";
    case db_phase::verify: return "verify";
    case db_phase::thaw: return "thaw";
    case db_phase::done: return "done";
    case db_phase::failed: return "failed";
  }
  std::unreachable();
}

}  // namespace floe
