#include "actors/recovery/coordinator.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "actors/events.hpp"
#include "actors/lock/lock_taken.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/node_map.hpp"
#include "protocol/types/vnn_map.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

using nlohmann::json;

/// srvids of a recovery: CTDB's range for it, then the epoch, the database's place and a counter.
std::uint64_t srvid_range(recovery_epoch epoch, std::size_t database) {
  return 0xF001'0000'0000'0000ULL | (number(epoch) & 0xffff) << 32 | (database & 0xffff) << 16;
}

failure_cause cause_of(const control_answer& a) {
  if (a.status != 0 && a.text == lock_taken_text) return failure_cause::unfit;
  return a.cause == failure_cause::timed_out ? failure_cause::timed_out : failure_cause::refused;
}

std::string text_of(const control_answer& a) {
  return a.text.empty() ? fmt::format("status {}", a.status) : a.text;
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
  if (!waiting_.empty() && !std::holds_alternative<cluster_effect::ended>(effect)) {
    waiting_.push_back(effect);
    return;
  }
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
  view_ = std::move(m.view);
}

void coordinator::on(rec_woke& m) { feed(cluster_event::woke{m.epoch, m.why}); }
void coordinator::on(rec_db_held& m) { feed(cluster_event::db_held{config_.plan.epoch, m.db}); }
void coordinator::on(rec_stop&) {
  waiting_.clear();
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
  differed_ += fmt::format("{} on node {}, {}\n", db, number(f.node), f.detail);
  ++counts_.differed;
}

void coordinator::recovered(db_id id, db_outcome& o) {
  node_.tell(
      note_event{{.wall_us = env_.loop.wall_us(),
                  .db = id,
                  .line = line_of(event::database_recovered{.run = number(config_.plan.epoch),
                                                            .way = name(o.way),
                                                            .looked_at = o.looked_at,
                                                            .records = o.records,
                                                            .bytes = o.bytes_in + o.bytes_out,
                                                            .kept = o.kept,
                                                            .lost = o.lost,
                                                            .ms = o.ms,
                                                            .why = o.why})}});
  ++(o.way == db_way::unchanged    ? counts_.unchanged
     : o.way == db_way::difference ? counts_.by_difference
                                   : counts_.whole);
  counts_.kept += o.kept;
  counts_.lost += o.lost;
  outcomes_[id] = std::move(o);
}

/// Of all databases, and of the recovery itself.
std::string coordinator::outcome(std::int64_t ms) const {
  json j{{"generation", number(machine_.plan().gen)},
         {"why", config_.reason},
         {"started_us", started_us_},
         {"ms", ms},
         {"databases", json::array()}};
  for (const auto& [id, o] : outcomes_)
    j["databases"].push_back({{"name", o.name},
                              {"way", std::string(name(o.way))},
                              {"why", o.why},
                              {"base", number(o.base)},
                              {"looked_at", o.looked_at},
                              {"records", o.records},
                              {"bytes_in", o.bytes_in},
                              {"bytes_out", o.bytes_out},
                              {"kept", o.kept},
                              {"lost", o.lost},
                              {"ms", o.ms}});
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// A floe node does not wait for a database that its nodes disagree about, and refuses its clients with the reason.
void coordinator::dispute(db_id db, const std::vector<evidence>& failures) {
  const auto data = wire::encode(db_disputed{
      .db_id = db, .detail = failures.empty() ? std::string() : failures.back().detail});
  for (const auto& [n, s] : surveys_)
    if (is_floe(n))
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
  if (held_.empty() || is_held(machine_.phase())) return;
  held_.clear();
  auto effects = std::exchange(waiting_, {});
  for (const auto& e : effects) std::visit([this](const auto& x) { act(x); }, e);
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
  if (is_held(e.phase) && held_.empty()) {
    held_ = std::string(name(e.phase));
    waiting_.push_back(e);
    return show_progress();
  }
  for (pnn n : e.nodes) {
    switch (e.phase) {
      case cluster_phase::survey:
        surveys_[n] = {.result = {.epoch = e.epoch, .node = n}};
        ask(e, n, control::get_nodemap, {});
        ask(e, n, control::get_capabilities, {});
        ask(e, n, control::getvnnmap, {});
        break;
      case cluster_phase::recmode_active:
        ask(e, n, control::set_recmode, wire::encode(std::uint32_t{1}));
        break;
      case cluster_phase::dbmaps:
        listings_[n] = {.result = {.epoch = e.epoch, .node = n}, .missing = is_floe(n) ? 2U : 1U};
        ask(e, n, control::get_dbmap, {});
        if (is_floe(n)) ask(e, n, control::get_db_lineages, {});
        break;
      case cluster_phase::start_recovery: ask(e, n, control::start_recovery, {}); break;
      case cluster_phase::set_vnn_map:
        ask(e, n, control::setvnnmap,
            wire::encode(vnn_map{.generation = machine_.plan().gen, .slots = machine_.slots()}));
        break;
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
  if (m.phase == cluster_phase::survey) return survey_answer(m);
  if (m.phase == cluster_phase::dbmaps) return dbmap_answer(m);
  if (m.answer.status != 0)
    return feed(
        cluster_event::failed{m.epoch, m.phase, m.node, cause_of(m.answer), text_of(m.answer)});
  feed(cluster_event::answered{m.epoch, m.phase, m.node});
}

bool coordinator::is_floe(pnn n) const {
  const auto i = surveys_.find(n);
  return i != surveys_.end() && (i->second.result.capabilities & capability::sorted_pull);
}

/// The list of databases, and from floe's nodes where each stands; in this order, because the list is asked first.
void coordinator::dbmap_answer(rec_answer& m) {
  auto& l = listings_[m.node];
  if (l.failed || l.result.epoch != m.epoch) return;
  const auto refuse = [&](std::string why) {
    l.failed = true;
    feed(cluster_event::failed{m.epoch, m.phase, m.node, cause_of(m.answer), std::move(why)});
  };
  if (m.answer.status != 0) return refuse(text_of(m.answer));
  if (m.part == control::get_dbmap) {
    auto map = wire::decode<dbid_map>(m.answer.data);
    if (!map) return refuse("unreadable database map");
    for (const auto& d : map->dbs) l.result.databases.push_back({.db = d.db_id, .flags = d.flags});
  } else {
    auto lines = wire::decode<db_lineage_list>(m.answer.data);
    if (!lines) return refuse("unreadable lineages");
    for (const auto& e : lines->entries)
      if (e.db_id == db_id{}) l.result.latest = e.generation;
    for (auto& d : l.result.databases) {
      lineage line{.gen = generation::invalid, .members = {}, .committed = true};
      for (const auto& e : lines->entries)
        if (e.db_id == d.db) {
          line.gen = e.generation;
          line.members.push_back(e.member);
        }
      d.line = std::move(line);
    }
  }
  if (--l.missing == 0) feed(l.result);
}

void coordinator::survey_answer(rec_answer& m) {
  auto i = surveys_.find(m.node);
  if (i == surveys_.end() || i->second.failed) return;
  auto& s = i->second;
  const auto refuse = [&](std::string why) {
    s.failed = true;
    feed(cluster_event::failed{m.epoch, m.phase, m.node, cause_of(m.answer), std::move(why)});
  };
  if (m.answer.status != 0) return refuse(text_of(m.answer));
  if (m.part == control::get_nodemap) {
    auto map = wire::decode<node_map>(m.answer.data);
    if (!map || number(m.node) >= map->nodes.size()) return refuse("unreadable node map");
    s.result.flags = map->nodes[number(m.node)].flags;  // its own opinion about itself
  } else if (m.part == control::get_capabilities) {
    auto c = wire::decode<std::uint32_t>(m.answer.data);
    if (!c) return refuse("unreadable capabilities");
    s.result.capabilities = *c;
  } else {
    auto v = wire::decode<vnn_map>(m.answer.data);
    if (!v) return refuse("unreadable vnn map");
    s.result.gen = v->generation;
    s.result.map = v->slots;
  }
  if (--s.missing == 0) feed(s.result);
}

void coordinator::act(const cluster_effect::recover& e) {
  auto& r = recoverers_[e.plan.db];
  if (!r) {
    std::set<pnn> sorted;
    for (const auto& [n, s] : surveys_)
      if (is_floe(n)) sorted.insert(n);
    r = env_.actors.spawn<db_recoverer>(
        "db-recovery", env_,
        db_recoverer_config{.leader = config_.plan.leader,
                            .srvid_base = srvid_range(config_.plan.epoch, recoverers_.size()),
                            .sorted_senders = std::move(sorted),
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
    node_.tell(recovery_progress{.json = {},
                                 .ended = true,
                                 .cause = config_.cause,
                                 .added = counts_,
                                 .outcome = outcome(ms)});
  else
    node_.tell(recovery_progress{.json = report(),
                                 .ended = true,
                                 .cause = config_.cause,
                                 .failures = std::move(told),
                                 .added = counts_});
  ended_({.epoch = e.epoch,
          .good = e.good,
          .gen = machine_.plan().gen,
          .failures = {failures.begin(), failures.end()},
          .differed = differed_});
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
