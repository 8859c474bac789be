#include "actors/recovery/coordinator.hpp"

#include <fmt/format.h>

#include <utility>

#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/vnn_map.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// srvids of a recovery: CTDB's range for it, then the epoch, the database's place and a counter.
std::uint64_t srvid_range(recovery_epoch epoch, std::size_t database) {
  return 0xF001'0000'0000'0000ULL | (number(epoch) & 0xffff) << 32 | (database & 0xffff) << 16;
}

/// A generation that another leader has named: its recovery has come past, or this node was told that the others go on without
/// it, and has frozen. What was begun here would end that freeze, and let holders of locks store what the others have left
/// behind (rule R17 of the model, tests/model/README.md).
bool is_of_another(generation seen, generation own) {
  return seen != generation::invalid && seen != own && !mutated(mutant::frozen_leader_goes_on);
}

}  // namespace

coordinator::coordinator(node_environment env, coordinator_config config, view_ptr view,
                         address<node_message> node, std::function<void(recovery_result)> ended)
    : env_(env),
      config_(std::move(config)),
      view_(std::move(view)),
      node_(std::move(node)),
      ended_(std::move(ended)),
      started_us_(env.loop.wall_us()),
      phase_since_us_(started_us_) {}

void coordinator::start() {
  const auto& p = config_.plan;
  note(started_us_, event::recovery_started{.run = number(p.epoch),
                                            .generation = p.gen,
                                            .nodes = p.connected,
                                            .why = config_.reason});
  feed(cluster_event::start{p});
}

void coordinator::receive(coordinator_message& m) {
  std::visit([this](auto& x) { on(x); }, m);
}

void coordinator::feed(const cluster_input& event) {
  for (const auto& effect : machine_.step(event, env_.loop.now())) run(effect);
}

void coordinator::run(const cluster_output& effect) {
  if (!std::holds_alternative<cluster_effect::ended>(effect) && gate_.keeps(effect)) return;
  std::visit([this](const auto& e) { act(e); }, effect);
}

void coordinator::on(rec_view& m) {
  for (std::size_t i = 0; i < m.view->nodes.size(); ++i) {
    const bool was = i >= view_->nodes.size() || (view_->nodes[i].flags & node_flag::disconnected);
    const bool is = m.view->nodes[i].flags & node_flag::disconnected;
    if (was || !is) continue;
    const pnn gone{static_cast<std::uint32_t>(i)};
    for (auto& [db, r] : recoverers_) r.tell(dbr_node_gone{gone});
    feed(cluster_event::node_gone{config_.plan.epoch, gone});
  }
  const auto before = std::exchange(view_, std::move(m.view))->gen;
  if (view_->gen == before || !machine_.running() ||
      !is_of_another(view_->gen, machine_.plan().gen))
    return;
  rec_stop overtaken;
  on(overtaken);
}

void coordinator::on(rec_leaves& m) {
  feed(cluster_event::cannot_store{config_.plan.epoch, m.node});
}
void coordinator::on(rec_woke& m) { feed(cluster_event::woke{m.epoch, m.why}); }
void coordinator::on(rec_db_held& m) { feed(cluster_event::db_held{config_.plan.epoch, m.db}); }
void coordinator::on(rec_stop&) {
  gate_.drop();
  feed(cluster_event::stop{config_.plan.epoch});
}

void coordinator::on(rec_db_progress& m) {
  auto& shown = progress_[m.progress.db];
  const bool held = shown.held != m.progress.held;
  shown = std::move(m.progress);
  if (held) return show_progress();
  // nobody reads as fast as steps come: one report tells of all that come together
  if (std::exchange(report_planned_, true)) return;
  env_.loop.after(std::chrono::milliseconds(1) + std::chrono::microseconds(50) * progress_.size(),
                  [to = self()] { to.tell(rec_show{}); });
}

void coordinator::on(rec_db_ended& m) {
  const auto shown = progress_.find(m.db);
  const std::string_view db = shown == progress_.end() ? std::string_view() : shown->second.name;
  for (const auto& f : m.failures) {
    env_.log.tell(event::recovery_failure{
        .db = db, .node = f.node, .step = f.step, .cause = name(f.cause), .why = f.detail});
    if (f.cause == failure_cause::content_differs) differs(db, f);
  }
  if (m.good) recovered(m.db, m.outcome);
  if (m.conflict) dispute(m.db, m.failures);
  feed(cluster_event::db_ended{.epoch = config_.plan.epoch,
                               .db = m.db,
                               .good = m.good,
                               .conflict = m.conflict,
                               .committed = m.committed,
                               .outdated = m.outdated,
                               .failures = std::move(m.failures)});
}

void coordinator::differs(std::string_view db, const evidence& f) {
  env_.log.tell(event::contents_differ{.db = db, .node = f.node, .gen = machine_.plan().gen});
  tally_.differed(db, f);
}

void coordinator::recovered(db_id id, db_outcome& o) {
  note(env_.loop.wall_us(),
       event::database_recovered{.run = number(config_.plan.epoch),
                                 .way = name(o.way),
                                 .looked_at = o.looked_at,
                                 .records = o.records,
                                 .bytes = o.bytes_in + o.bytes_out,
                                 .kept = o.kept,
                                 .lost = o.lost,
                                 .ms = o.ms,
                                 .why = o.why},
       id);
  tally_.recovered(id, std::move(o));
}

/// A floe node does not wait for a database that its nodes disagree about, and refuses its clients with the reason.
void coordinator::dispute(db_id db, const std::vector<evidence>& failures) {
  const auto data = wire::encode(db_disputed{
      .db_id = db, .detail = failures.empty() ? std::string() : failures.back().detail});
  for (const pnn n : survey_.floe_nodes())
    node_.tell(call_control{.to = n,
                            .opcode = control::db_dispute,
                            .data = data,
                            .patience = config_.plan.step_timeout,
                            .answer = {}});
}

// --- diagnosis: hold at a phase ------------------------------------------------------------------------------------

bool coordinator::is_held(cluster_phase p) const { return config_.hold == name(p); }

void coordinator::on(rec_hold& m) {
  config_.hold = m.phase;
  for (auto& [db, r] : recoverers_) r.tell(dbr_hold{m.phase});
  if (gate_.is_open() || is_held(machine_.phase())) return;
  for (const auto& e : gate_.open()) run(e);
  show_progress();
}

// --- effects -------------------------------------------------------------------------------------------------------

void coordinator::act(const cluster_effect::entered& e) {
  phase_since_us_ = env_.loop.wall_us();
  note(phase_since_us_,
       event::recovery_phase{.run = number(e.epoch), .from = name(e.from), .to = name(e.to)});
  show_progress();
}

void coordinator::act(const cluster_effect::ask& e) {
  if (is_held(e.phase) && gate_.is_open()) {
    gate_.shut(name(e.phase), e);
    return show_progress();
  }
  for (pnn n : e.nodes) {
    switch (e.phase) {
      case cluster_phase::survey:
      case cluster_phase::dbmaps:
        for (const control c : survey_.questions(e.phase, e.epoch, n)) ask(e, n, c, {});
        break;
      case cluster_phase::recmode_active:
        ask(e, n, control::set_recmode, wire::encode(std::uint32_t{1}));
        break;
      case cluster_phase::start_recovery: ask(e, n, control::start_recovery, {}); break;
      case cluster_phase::set_vnn_map: ask(e, n, control::setvnnmap, new_map()); break;
      case cluster_phase::recmode_normal:
        ask(e, n, control::set_recmode, wire::encode(std::uint32_t{0}));
        break;
      case cluster_phase::end_recovery: ask(e, n, control::end_recovery, {}); break;
      case cluster_phase::idle:
      case cluster_phase::databases:
      case cluster_phase::done:
      case cluster_phase::failed: std::abort();  // these phases ask nodes for nothing
    }
  }
}

bytes coordinator::new_map() const {
  const vnn_map map{.generation = machine_.plan().gen, .slots = machine_.slots()};
  const auto beside = machine_.beside_the_map();
  return beside ? with_others(map, *beside) : wire::encode(map);
}

void coordinator::ask(const cluster_effect::ask& e, pnn n, control c, bytes data) {
  node_.tell(call_control{
      .to = n,
      .opcode = c,
      .data = std::move(data),
      .patience = e.timeout,
      .answer = replier([to = self(), epoch = e.epoch, phase = e.phase, n, c](control_answer a) {
        to.tell(rec_answer{epoch, phase, n, c, std::move(a)});
      })});
}

void coordinator::on(rec_answer& m) {
  if (m.phase == cluster_phase::survey || m.phase == cluster_phase::dbmaps) {
    if (const auto said = survey_.take(m)) feed(*said);
    return;
  }
  if (m.answer.status != 0) return feed(refusal(m));
  feed(cluster_event::answered{m.epoch, m.phase, m.node});
}

void coordinator::act(const cluster_effect::recover& e) {
  auto& r = recoverers_[e.plan.db];
  if (!r) {
    r = env_.actors.spawn<db_recoverer>(
        "db-recovery", env_,
        db_recoverer_config{.leader = config_.plan.leader,
                            .srvid_base = srvid_range(config_.plan.epoch, recoverers_.size()),
                            .sorted_senders = survey_.floe_nodes(),
                            .buffer_size = config_.buffer_size,
                            .hold = config_.hold,
                            .witness = config_.witness},
        node_, self());
  }
  r.tell(dbr_start{e.plan});
}

void coordinator::act(const cluster_effect::release& e) {
  recoverers_.at(e.db).tell(dbr_release{});
}
void coordinator::act(const cluster_effect::stop_databases&) { stop_databases(); }

void coordinator::stop_databases() {
  for (auto& [db, r] : recoverers_) r.tell(dbr_stop{});
  recoverers_.clear();
}

void coordinator::act(const cluster_effect::wake& e) {
  env_.loop.after(e.after, [to = self(), epoch = e.epoch, why = e.why] {
    to.tell(rec_woke{epoch, why});
  });
}

void coordinator::act(const cluster_effect::deadlock& e) {
  deadlock_ = e;
  std::string stuck;
  for (db_id d : e.not_frozen) stuck += (stuck.empty() ? "" : ", ") + progress_[d].name;
  env_.log.tell(event::recovery_deadlock{
      .run = number(e.epoch), .frozen = e.frozen.size(), .not_frozen = stuck});
  show_progress();
}

void coordinator::act(const cluster_effect::ended& e) {
  stop_databases();
  const auto ms = (env_.loop.wall_us() - started_us_) / 1000;
  note(env_.loop.wall_us(), event::recovery_ended{.run = number(e.epoch),
                                                  .good = e.good,
                                                  .ms = ms,
                                                  .databases = machine_.databases().size(),
                                                  .generation = machine_.plan().gen});
  // A verdict stays visible until the next recovery begins; success has nothing left to show.
  const auto failures = machine_.failures();
  std::vector<std::string> told;
  for (const auto& f : failures) told.push_back(describe(f));
  if (e.good)
    node_.tell(recovery_progress{
        .json = {},
        .ended = true,
        .cause = config_.cause,
        .added = tally_.counts(),
        .outcome = tally_.json(machine_.plan().gen, config_.reason, started_us_, ms)});
  else
    node_.tell(recovery_progress{.json = report(),
                                 .ended = true,
                                 .cause = config_.cause,
                                 .failures = std::move(told),
                                 .added = tally_.counts()});
  ended_({.epoch = e.epoch,
          .good = e.good,
          .gen = machine_.plan().gen,
          .failures = {failures.begin(), failures.end()},
          .differed = tally_.what_differed()});
  end();
}

/// A report names every database: of a thousand of them, one with each of their steps would cost more than the recovery.
void coordinator::show_progress() {
  constexpr std::size_t few = 20;
  const duration pause =
      progress_.size() <= few ? duration{0} : std::chrono::microseconds(50) * progress_.size();
  const auto since = env_.loop.now() - shown_;
  if (since >= pause) return report_now();
  if (std::exchange(report_planned_, true)) return;
  env_.loop.after(pause - since, [to = self()] { to.tell(rec_show{}); });
}

void coordinator::on(rec_show&) {
  report_planned_ = false;
  report_now();
}

void coordinator::report_now() {
  shown_ = env_.loop.now();
  node_.tell(recovery_progress{.json = report()});
}

}  // namespace floe
