#include "actors/recovery/db_recoverer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/database/database_witness.hpp"
#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/rules/joining.hpp"
#include "protocol/rules/own_freeze.hpp"
#include "protocol/rules/winner.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/database.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// Pushed buffers on their way to one node at a time.
constexpr unsigned push_window = 4;

/// The phases in which nodes send records before they answer.
bool sends_records(db_phase p) {
  return p == db_phase::changes || p == db_phase::copies || p == db_phase::fill ||
         p == db_phase::pull;
}

/// `whole`: the node is asked for everything.
control control_of(db_phase p, db_kind kind, bool floe_only, bool whole) {
  switch (p) {
    case db_phase::names: return control::get_dbname;
    case db_phase::attach:
      if (kind == db_kind::persistent) return control::db_attach_persistent;
      return kind == db_kind::replicated ? control::db_attach_replicated : control::db_attach;
    case db_phase::freeze: return control::db_freeze;
    case db_phase::begin:
      return floe_only ? control::db_recovery_begin : control::db_transaction_start;
    case db_phase::seqnum: return control::get_db_seqnum;
    case db_phase::changes: return whole ? control::db_pull : control::db_changes;
    case db_phase::copies: return control::db_copies;
    case db_phase::fill:
    case db_phase::pull: return control::db_pull;
    case db_phase::wipe: return control::wipe_database;
    case db_phase::push_start: return control::db_push_start;
    case db_phase::push_confirm: return control::db_push_confirm;
    case db_phase::commit: return control::db_transaction_commit;
    case db_phase::verify: return control::db_digest;
    case db_phase::thaw: return control::db_thaw;
    case db_phase::idle:
    case db_phase::held:
    case db_phase::compare:
    case db_phase::merge:
    case db_phase::push:
    case db_phase::done:
    case db_phase::failed: break;
  }
  std::abort();  // no other phase asks nodes for anything
}

failure_cause cause_of(const control_answer& a) {
  const bool no_answer =
      a.cause == failure_cause::timed_out || a.cause == failure_cause::disconnected;
  return no_answer ? a.cause : failure_cause::refused;
}

}  // namespace

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
  if (!waiting_.empty() && !std::holds_alternative<db_effect::ended>(effect)) {
    waiting_.push_back(effect);
    return;
  }
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
  waiting_.clear();
  feed(db_event::stop{});
  stop_pull();
  env_.loop.cancel(push_timer_);
  end();
}

void db_recoverer::on(dbr_hold& m) {
  config_.hold = std::move(m.phase);
  if (held_.empty() || is_held(machine_.phase())) return;
  held_.clear();
  auto effects = std::exchange(waiting_, {});
  for (const auto& e : effects) std::visit([this](const auto& x) { act(x); }, e);
  show_progress();
}

bool db_recoverer::is_held(db_phase p) const {
  const auto at = config_.hold.find('@');
  if (config_.hold.substr(0, at) != name(p)) return false;
  return at == std::string::npos || config_.hold.substr(at + 1) == machine_.db_name();
}

void db_recoverer::act(const db_effect::entered& e) {
  phase_since_us_ = env_.loop.wall_us();
  if (e.to == db_phase::begin && config_.witness) tell_witness();
  node_.tell(note_event{{.wall_us = phase_since_us_,
                         .db = machine_.plan().db,
                         .line = line_of(event::recovery_phase{
                             .run = number(e.run), .from = name(e.from), .to = name(e.to)})}});
  show_progress();
}

void db_recoverer::act(const db_effect::ask& e) {
  if (is_held(e.phase) && held_.empty()) {
    held_ = std::string(name(e.phase));
    waiting_.push_back(e);
    return show_progress();
  }
  if (e.phase == db_phase::pull) start_pull(e);
  if (e.phase == db_phase::changes) start_difference(e);
  if (e.phase == db_phase::copies || e.phase == db_phase::fill) listen(e);
  if (e.phase == db_phase::push_start)
    push_srvid_ = floe::srvid{config_.srvid_base + ++srvids_used_};
  for (pnn n : e.nodes) ask(e, n);
}

void db_recoverer::ask(const db_effect::ask& e, pnn n) {
  const auto& plan = machine_.plan();
  bytes data;
  std::uint32_t flags = 0;
  switch (e.phase) {
    case db_phase::attach:
      data = wire::encode(wire::string{machine_.db_name()});
      flags = control_flag::attach_in_recovery;
      break;
    case db_phase::begin: flags = begin_knows_filled; [[fallthrough]];
    case db_phase::wipe:
    case db_phase::commit: data = wire::encode(transdb{.db_id = plan.db, .tid = plan.gen}); break;
    case db_phase::seqnum: data = wire::encode(db_seqnum_request{plan.db}); break;
    case db_phase::changes:
      if (is_pulled_whole(n)) {
        data = wire::encode(
            pulldb_ext{.db_id = plan.db, .lmaster = pnn::unknown, .srvid = sources_.at(n).srvid});
        break;
      }
      data = wire::encode(db_changes_request{.db_id = plan.db,
                                             .tid = plan.gen,
                                             .srvid = sources_.at(n).srvid,
                                             .since = machine_.changes_since(n)});
      break;
    case db_phase::copies:
      data = wire::encode(db_copies_request{
          .db_id = plan.db, .tid = plan.gen, .srvid = sources_.at(n).srvid, .keys = asked_.at(n)});
      break;
    case db_phase::fill:
    case db_phase::pull:
      data = wire::encode(
          pulldb_ext{.db_id = plan.db, .lmaster = pnn::unknown, .srvid = sources_.at(n).srvid});
      break;
    case db_phase::push_start:
      data =
          wire::encode(pulldb_ext{.db_id = plan.db, .lmaster = pnn::unknown, .srvid = push_srvid_});
      break;
    case db_phase::freeze:
      data = wire::encode(number(plan.db));
      if (config_.sorted_senders.contains(n) && !took_part(n)) flags = freeze_outdated;
      break;
    default: data = wire::encode(number(plan.db)); break;
  }
  if (e.phase == db_phase::commit && machine_.only_damaged() && config_.sorted_senders.contains(n))
    // arrives before the commit, which then does not pass for a healing
    node_.tell(call_control{.to = n,
                            .opcode = control::db_damaged,
                            .data = wire::encode(db_disputed{.db_id = plan.db, .detail = damage_}),
                            .patience = e.timeout,
                            .answer = {}});
  node_.tell(call_control{
      .to = n,
      .opcode = control_of(e.phase, machine_.kind(), plan.floe_only, is_pulled_whole(n)),
      .data = std::move(data),
      .patience = e.timeout,
      .answer = replier([to = self(), run = e.run, phase = e.phase, n](control_answer a) {
        to.tell(dbr_answer{run, phase, n, std::move(a)});
      }),
      .flags = flags});
}

void db_recoverer::on(dbr_answer& m) {
  auto& a = m.answer;
  if (a.status != 0)
    return feed(
        db_event::failed{.run = m.run,
                         .phase = m.phase,
                         .node = m.node,
                         .cause = cause_of(a),
                         .detail = a.text.empty() ? fmt::format("status {}", a.status) : a.text});
  db_event::answered e{.run = m.run, .phase = m.phase, .node = m.node};
  bool readable = true;
  if (m.phase == db_phase::names) {
    auto s = wire::decode<wire::string>(a.data);
    readable = s.has_value();
    if (s) e.text = std::string(s->value);
  } else if (m.phase == db_phase::seqnum) {
    auto n = wire::decode<std::uint64_t>(a.data);
    readable = n.has_value();
    if (n && machine_.kind() == db_kind::persistent) return ask_health(m.node, *n);
    e.number = n.value_or(0);
  } else if (m.phase == db_phase::begin && machine_.plan().floe_only) {
    auto s = wire::decode<db_copy_state>(a.data);
    readable = s && s->changes <= static_cast<std::uint32_t>(change_state::filled);
    if (readable)
      e.copy = db_copy{.content = s->content,
                       .changes = static_cast<change_state>(s->changes),
                       .keys = s->keys,
                       .records = s->records,
                       .digest = s->digest,
                       .earlier = s->earlier};
  } else if (m.phase == db_phase::verify) {
    auto d = wire::decode<db_digest>(a.data);
    readable = d.has_value();
    if (d) e.number = d->sum ^ d->records;
  } else if (sends_records(m.phase) || m.phase == db_phase::push_confirm) {
    auto n = wire::decode<std::uint32_t>(a.data);
    readable = n.has_value();
    e.number = n.value_or(0);
  }
  if (sends_records(m.phase) && m.run == machine_.run() && m.phase == machine_.phase()) {
    auto& s = sources_[m.node];
    e.arrived = s.arrived;
    s.ended = true;
    readable = readable && s.error.empty();
    if (merge_) {
      merge_->end_stream(m.node);
      take_winners();
    }
  }
  if (!readable)
    return feed(db_event::failed{.run = m.run,
                                 .phase = m.phase,
                                 .node = m.node,
                                 .cause = failure_cause::refused,
                                 .detail = "unreadable answer"});
  feed(e);
}

/// A damaged copy was started empty, which no sequence number tells.
void db_recoverer::ask_health(pnn n, std::uint64_t seqnum) {
  node_.tell(call_control{
      .to = n,
      .opcode = control::db_get_health,
      .data = wire::encode(number(machine_.plan().db)),
      .patience = machine_.plan().step_timeout,
      .answer = replier([to = self(), run = machine_.run(), n, seqnum](control_answer a) {
        to.tell(dbr_health{run, n, seqnum, std::move(a)});
      })});
}

void db_recoverer::on(dbr_health& m) {
  if (m.answer.status != 0)
    return feed(db_event::failed{.run = m.run,
                                 .phase = db_phase::seqnum,
                                 .node = m.node,
                                 .cause = cause_of(m.answer),
                                 .detail = m.answer.text.empty()
                                               ? "does not say whether its copy is whole"
                                               : m.answer.text});
  const auto text = wire::decode<wire::string>(m.answer.data);
  const bool whole = m.answer.data.empty() || (text && text->value.empty());
  if (!whole && m.run == machine_.run()) {
    damage_ = text ? std::string(text->value) : "damaged";
    env_.log.tell(
        event::recovery_damaged_copy{.db = machine_.db_name(), .node = m.node, .what = damage_});
  }
  feed(db_event::answered{
      .run = m.run, .phase = db_phase::seqnum, .node = m.node, .number = m.seqnum, .whole = whole});
}

// --- pull and merge ----------------------------------------------------------------------------------------------

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

void db_recoverer::start_pull(const db_effect::ask& e) {
  stop_pull();
  parcels_.assign(1, {});
  winners_ = 0;
  builder_ = std::make_unique<rec_buffer_builder>(machine_.plan().db, config_.buffer_size);
  merge_ = std::make_unique<record_merge>([this](const record_copy& a, const record_copy& b) {
    return beats({.header = a.record.header, .holder = a.from, .took_part = took_part(a.from)},
                 {.header = b.record.header, .holder = b.from, .took_part = took_part(b.from)},
                 config_.leader);
  });
  env_.log.tell(
      event::recovery_pull{.db = machine_.db_name(), .gen = machine_.plan().gen, .from = e.nodes});
  for (pnn n : e.nodes)
    merge_->add_stream(
        n, config_.sorted_senders.contains(n) ? stream_order::ascending : stream_order::any);
  listen(e);
}

/// Each node sends to a srvid of its own.
void db_recoverer::listen(const db_effect::ask& e) {
  for (auto& [n, s] : sources_) node_.tell(unlisten_messages{s.srvid, number(s.srvid)});
  sources_.clear();
  for (pnn n : e.nodes) {
    const floe::srvid s{config_.srvid_base + ++srvids_used_};
    sources_[n] = {.srvid = s};
    node_.tell(listen_messages{s, number(s), [to = self(), run = e.run, n](parcel_ptr p) {
                                 to.tell(dbr_records{run, n, std::move(p)});
                               }});
  }
}

void db_recoverer::stop_pull() {
  for (auto& [n, s] : sources_) node_.tell(unlisten_messages{s.srvid, number(s.srvid)});
  sources_.clear();
  merge_.reset();
  difference_.reset();
  asked_.clear();
  whole_.clear();
}

void db_recoverer::on(dbr_records& m) {
  if (m.run != machine_.run() || (!merge_ && !difference_)) return;  // of an earlier try
  auto s = sources_.find(m.from);
  if (s == sources_.end() || std::get<req_message>(m.packet->content.body).srvid != s->second.srvid)
    return;
  auto buffer = wire::decode<rec_buffer>(std::get<req_message>(m.packet->content.body).data);
  if (!buffer || buffer->db_id() != machine_.plan().db) {
    s->second.error = buffer ? "records of another database" : buffer.error().text();
    return;
  }
  outcome_.bytes_in += m.packet->raw->size();
  if (difference_) {
    take_difference(m, *buffer, s->second);
    return show_progress_now_and_then();
  }
  std::vector<record_view> records;
  records.reserve(buffer->count());
  for (const rec_data& r : *buffer) {
    auto whole = r.as_record();
    if (!whole) {
      s->second.error = "a record without header";
      return;
    }
    records.push_back(*whole);
  }
  s->second.arrived += records.size();
  if (auto fed = merge_->feed(m.from, m.packet->raw, std::move(records)); !fed) {
    s->second.error = fed.error().text;
    return;
  }
  take_winners();
  show_progress_now_and_then();
}

void db_recoverer::take_winners() {
  merge_->run([this](const record_copy& winner) {
    emit_winner(winner);
    return true;
  });
}

void db_recoverer::emit_winner(const record_copy& w) {
  const auto kind = machine_.kind();
  if (!counts(kind, {.header = w.record.header, .holder = w.from, .took_part = took_part(w.from)}))
    return;
  const auto header =
      recovered_header(kind, w.record.header, !w.record.data.empty(), config_.leader);
  if (!header) return;
  if (!builder_->empty() &&
      builder_->size_with(w.record.key.size(), w.record.data.size()) > config_.buffer_size)
    parcels_.front().buffers.push_back(std::make_shared<const bytes>(builder_->take()));
  builder_->add(w.record.key, *header, w.record.data);
  ++winners_;
}

void db_recoverer::act(const db_effect::merge& e) {
  if (difference_) return merge_difference(e);
  if (!merge_) {  // no node took part in the last generation: there was nobody to pull from
    parcels_.clear();
    winners_ = 0;
    return feed(db_event::merged{.run = e.run, .records = 0});
  }
  take_winners();
  if (!merge_->finished())
    return feed(db_event::broke{.run = e.run, .detail = "the merge is not complete"});
  if (!builder_->empty())
    parcels_.front().buffers.push_back(std::make_shared<const bytes>(builder_->take()));
  outcome_.looked_at = machine_.pulled();
  env_.log.tell(event::recovery_merged{.db = machine_.db_name(),
                                       .gen = machine_.plan().gen,
                                       .pulled = machine_.pulled(),
                                       .records = winners_});
  stop_pull();
  feed(db_event::merged{.run = e.run, .records = winners_});
}

// --- push --------------------------------------------------------------------------------------------------------

void db_recoverer::act(const db_effect::push& e) {
  if (is_held(db_phase::push) && held_.empty()) {
    held_ = std::string(name(db_phase::push));
    waiting_.push_back(e);
    return show_progress();
  }
  targets_.clear();
  for (pnn n : e.nodes) {
    auto& t = targets_[n];
    for (const auto& p : parcels_)
      if (p.to.empty() || std::ranges::find(p.to, n) != p.to.end())
        for (const auto& b : p.buffers) t.buffers.push_back(b);
  }
  env_.loop.cancel(push_timer_);
  push_timer_ =
      env_.loop.after(e.timeout, [to = self(), run = e.run] { to.tell(dbr_push_late{run}); });
  if (std::ranges::all_of(targets_, [](const auto& t) { return t.second.buffers.empty(); })) {
    env_.loop.cancel(push_timer_);
    return feed(db_event::pushed{e.run});
  }
  for (pnn n : e.nodes) push_more(n);
}

void db_recoverer::push_more(pnn n) {
  auto& t = targets_.at(n);
  while (t.next < t.buffers.size() && t.in_flight < push_window) {
    ++t.in_flight;
    outcome_.bytes_out += t.buffers[t.next]->size();
    node_.tell(
        post_message{n, push_srvid_, t.buffers[t.next++], [to = self(), run = machine_.run(), n] {
                       to.tell(dbr_written{run, n});
                     }});
  }
}

void db_recoverer::on(dbr_written& m) {
  if (m.run != machine_.run() || machine_.phase() != db_phase::push) return;
  --targets_.at(m.to).in_flight;
  push_more(m.to);
  show_progress_now_and_then();
  const bool all = std::ranges::all_of(targets_, [this](const auto& t) {
    return t.second.next == t.second.buffers.size() && t.second.in_flight == 0;
  });
  if (!all) return;
  env_.loop.cancel(push_timer_);
  feed(db_event::pushed{m.run});
}

void db_recoverer::on(dbr_push_late& m) {
  if (m.run == machine_.run() && machine_.phase() == db_phase::push)
    feed(db_event::broke{.run = m.run, .detail = "records could not be sent in time"});
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
                                     .held = held_}});
}

}  // namespace floe
