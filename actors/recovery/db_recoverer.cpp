/// Its life, its holds, and what it shows of itself. What it asks nodes for: db_controls.cpp; the records: db_pull.cpp,
/// difference.cpp, db_push.cpp.
#include "actors/recovery/db_recoverer.hpp"

#include <algorithm>

#include "actors/database/database_witness.hpp"
#include "actors/events.hpp"

namespace floe {

db_recoverer::db_recoverer(node_environment env, db_recoverer_config config,
                           address<node_message> node, address<coordinator_message> coordinator)
    : env_(env),
      config_(std::move(config)),
      node_(std::move(node)),
      coordinator_(std::move(coordinator)) {}

db_recoverer::~db_recoverer() = default;

void db_recoverer::receive(db_recoverer_message& m) {
  std::visit([this](auto& x) { on(x); }, m);
}

void db_recoverer::feed(const db_input& event) {
  for (const auto& effect : machine_.step(event, env_.loop.now())) run(effect);
}

void db_recoverer::run(const db_output& effect) {
  if (!std::holds_alternative<db_effect::ended>(effect) && gate_.keeps(effect)) return;
  std::visit([this](const auto& e) { act(e); }, effect);
}

void db_recoverer::on(dbr_start& m) {
  started_us_ = env_.loop.wall_us();
  outcome_ = {};
  feed(db_event::start{std::move(m.plan)});
}
void db_recoverer::on(dbr_release&) { feed(db_event::release{machine_.run()}); }
void db_recoverer::on(dbr_node_gone& m) {
  feed(db_event::failed{.run = machine_.run(),
                        .phase = machine_.phase(),
                        .node = m.node,
                        .cause = failure_cause::disconnected,
                        .detail = "node is disconnected"});
}

void db_recoverer::on(dbr_stop&) {
  gate_.drop();
  feed(db_event::stop{});
  stop_pull();
  env_.loop.cancel(push_timer_);
  end();
}

void db_recoverer::on(dbr_hold& m) {
  config_.hold = std::move(m.phase);
  if (gate_.is_open() || is_held(machine_.phase())) return;
  for (const auto& e : gate_.open()) run(e);
  show_progress();
}

bool db_recoverer::is_held(db_phase p) const {
  const auto at = config_.hold.find('@');
  if (config_.hold.substr(0, at) != name(p)) return false;
  return at == std::string::npos || config_.hold.substr(at + 1) == machine_.db_name();
}

void db_recoverer::act(const db_effect::entered& e) {
  phase_since_us_ = env_.loop.wall_us();
  const bool told_more = e.from == db_phase::seqnum && machine_.kind() == db_kind::volatile_db;
  if ((e.to == db_phase::begin || told_more) && config_.witness) tell_witness();
  const event::recovery_phase entered{.run = number(e.run), .from = name(e.from), .to = name(e.to)};
  node_.tell(note_event{on_timeline(phase_since_us_, entered, machine_.plan().db)});
  show_progress();
}

void db_recoverer::act(const db_effect::ask& e) {
  // held for diagnosis, and released when the try that it belongs to has failed
  if (e.run != machine_.run() || e.phase != machine_.phase()) return;
  if (is_held(e.phase) && gate_.is_open()) {
    gate_.shut(name(e.phase), e);
    return show_progress();
  }
  if (e.phase == db_phase::pull) start_pull(e);
  if (e.phase == db_phase::changes) start_difference(e);
  if (e.phase == db_phase::copies || e.phase == db_phase::fill) listen(e);
  if (e.phase == db_phase::push_start)
    push_srvid_ = floe::srvid{config_.srvid_base + ++srvids_used_};
  for (pnn n : e.nodes) ask(e, n);
}

bool db_recoverer::took_part(pnn n) const {
  const auto& all = machine_.plan().participants;
  const auto i = std::ranges::find(all, n, &db_plan::participant::node);
  return i != all.end() && i->took_part;
}

void db_recoverer::tell_witness() const {
  std::vector<pnn> counted;
  for (const auto& p : machine_.plan().participants)
    if (p.took_part) counted.push_back(p.node);
  config_.witness->recovers(machine_.plan().db, machine_.plan().gen, counted);
}

// --- news --------------------------------------------------------------------------------------------------------

void db_recoverer::act(const db_effect::held&) {
  coordinator_.tell(rec_db_held{machine_.plan().db});
}

void db_recoverer::act(const db_effect::ended& e) {
  stop_pull();
  env_.loop.cancel(push_timer_);
  parcels_.clear();
  targets_.clear();
  const auto failures = machine_.failures();
  coordinator_.tell(rec_db_ended{.db = machine_.plan().db,
                                 .good = e.good,
                                 .conflict = machine_.conflict(),
                                 .committed = machine_.committed(),
                                 .outdated = machine_.outdated(),
                                 .failures = {failures.begin(), failures.end()},
                                 .outcome = outcome()});
}

db_outcome db_recoverer::outcome() const {
  auto o = outcome_;
  o.name = machine_.db_name();
  o.way = machine_.way();
  o.why = machine_.why_whole();
  o.base = machine_.base();
  o.records = std::max(machine_.records_before(), machine_.by_difference() ? 0 : machine_.merged());
  o.ms = (env_.loop.wall_us() - started_us_) / 1000;
  return o;
}

/// Sources hold about as much as those that have ended had; of what is pushed the size is known.
double db_recoverer::share_done() const {
  if (machine_.phase() == db_phase::pull) {
    std::uint64_t arrived = 0, one = 0;
    for (const auto& [n, s] : sources_) {
      arrived += s.arrived;
      if (s.ended) one = std::max(one, s.arrived);
    }
    const auto all = one * sources_.size();
    return all == 0 ? -1 : std::min(1.0, static_cast<double>(arrived) / static_cast<double>(all));
  }
  if (machine_.phase() != db_phase::push) return -1;
  std::size_t gone = 0, all = 0;
  for (const auto& [n, t] : targets_) {
    gone += t.next - t.in_flight;
    all += t.buffers.size();
  }
  return all == 0 ? -1 : static_cast<double>(gone) / static_cast<double>(all);
}

void db_recoverer::show_progress_now_and_then() {
  if (env_.loop.now() - shown_ >= std::chrono::milliseconds(200)) show_progress();
}

void db_recoverer::show_progress() {
  shown_ = env_.loop.now();
  const auto waiting = machine_.waiting_for();
  const auto share = share_done();
  auto pulled = machine_.pulled();
  if (machine_.phase() == db_phase::pull) {
    pulled = 0;
    for (const auto& [n, s] : sources_) pulled += s.arrived;
  }
  const auto everything = static_cast<double>(machine_.merged() * targets_.size());
  coordinator_.tell(rec_db_progress{{.db = machine_.plan().db,
                                     .name = machine_.db_name(),
                                     .phase = machine_.phase(),
                                     .attempt = machine_.attempt(),
                                     .since_us = phase_since_us_,
                                     .waiting_for = {waiting.begin(), waiting.end()},
                                     .pulled = pulled,
                                     .merged = machine_.merged(),
                                     .pushed = share < 0 || machine_.phase() != db_phase::push
                                                   ? std::uint64_t{0}
                                                   : static_cast<std::uint64_t>(share * everything),
                                     .share = share,
                                     .held = gate_.shut_at()}});
}

}  // namespace floe
