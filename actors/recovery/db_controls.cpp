/// What the recovery of a database asks nodes for in each phase, and how their answers are read.
#include <fmt/format.h>

#include "actors/events.hpp"
#include "actors/recovery/db_recoverer.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/joining.hpp"
#include "protocol/rules/own_freeze.hpp"
#include "protocol/rules/parts.hpp"
#include "protocol/types/basic.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/db_past.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

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

failure_cause step_cause(const control_answer& a) {
  const bool no_answer =
      a.cause == failure_cause::timed_out || a.cause == failure_cause::disconnected;
  return no_answer ? a.cause : failure_cause::refused;
}

}  // namespace

std::uint32_t db_recoverer::freeze_flags(pnn n) const {
  if (!took_part(n)) return freeze_outdated;
  const bool outnumbered =
      machine_.plan().outnumbered && !mutated(mutant::outnumbered_part_acknowledges);
  return outnumbered ? freeze_outnumbered : 0;
}

/// What the control of this phase carries, and its flags.
std::pair<bytes, std::uint32_t> db_recoverer::request_of(db_phase phase, pnn n) const {
  const auto& plan = machine_.plan();
  const auto records_to = [&](srvid stream) {
    return wire::encode(pulldb_ext{.db_id = plan.db, .lmaster = pnn::unknown, .srvid = stream});
  };
  const auto transaction = [&] { return wire::encode(transdb{.db_id = plan.db, .tid = plan.gen}); };
  const bool sorted = config_.sorted_senders.contains(n);
  switch (phase) {
    case db_phase::attach:
      return {wire::encode(wire::string{machine_.db_name()}), control_flag::attach_in_recovery};
    case db_phase::begin: return {transaction(), begin_knows_filled};
    case db_phase::wipe: return {transaction(), 0};
    case db_phase::commit:
      return {transaction(), machine_.made_of_nothing() && sorted ? commit_of_nothing : 0};
    case db_phase::seqnum:
      return {wire::encode(db_seqnum_request{plan.db}), sorted ? seqnum_with_past : 0};
    case db_phase::changes:
      if (is_pulled_whole(n)) return {records_to(sources_.at(n).srvid), 0};
      return {wire::encode(db_changes_request{.db_id = plan.db,
                                              .tid = plan.gen,
                                              .srvid = sources_.at(n).srvid,
                                              .since = machine_.changes_since(n)}),
              changes_tell_newer | changes_tell_written |
                  (machine_.parts_meet() ? changes_with_marks : 0)};
    case db_phase::copies:
      return {wire::encode(db_copies_request{.db_id = plan.db,
                                             .tid = plan.gen,
                                             .srvid = sources_.at(n).srvid,
                                             .keys = asked_.at(n)}),
              0};
    case db_phase::fill:
    case db_phase::pull: return {records_to(sources_.at(n).srvid), 0};
    case db_phase::push_start: return {records_to(push_srvid_), 0};
    case db_phase::freeze: return {wire::encode(number(plan.db)), sorted ? freeze_flags(n) : 0};
    case db_phase::names:
    case db_phase::push_confirm:
    case db_phase::verify:
    case db_phase::thaw: return {wire::encode(number(plan.db)), 0};
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

void db_recoverer::ask(const db_effect::ask& e, pnn n) {
  const auto& plan = machine_.plan();
  auto [data, flags] = request_of(e.phase, n);
  if (e.phase == db_phase::commit && pasts_.contains(n)) tell_past(n, e.timeout);
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

/// Arrives before the commit.
void db_recoverer::tell_past(pnn n, duration timeout) {
  if (machine_.kind() == db_kind::volatile_db) return;
  const auto past = machine_.joint_past();
  const auto told = to_text(db_past{.written = past.written, .from = past.from});
  node_.tell(
      call_control{.to = n,
                   .opcode = control::db_damaged,
                   .data = wire::encode(db_disputed{.db_id = machine_.plan().db, .detail = told}),
                   .patience = timeout,
                   .answer = {},
                   .flags = brings_past});
}

void db_recoverer::on(dbr_answer& m) {
  const auto& a = m.answer;
  if (a.status != 0)
    return feed(
        db_event::failed{.run = m.run,
                         .phase = m.phase,
                         .node = m.node,
                         .cause = step_cause(a),
                         .detail = a.text.empty() ? fmt::format("status {}", a.status) : a.text});
  db_event::answered e{.run = m.run, .phase = m.phase, .node = m.node};
  bool readable = read_answer(m.node, m.phase, a.data, e);
  if (readable && m.phase == db_phase::seqnum && machine_.kind() == db_kind::persistent)
    return ask_health(m.node, e.number);
  if (sends_records(m.phase) && m.run == machine_.run() && m.phase == machine_.phase())
    readable = end_source(m.node, e) && readable;
  if (!readable)
    return feed(db_event::failed{.run = m.run,
                                 .phase = m.phase,
                                 .node = m.node,
                                 .cause = failure_cause::refused,
                                 .detail = "unreadable answer"});
  feed(e);
}

/// False: these are not the octets of such an answer.
bool db_recoverer::read_answer(pnn n, db_phase phase, byte_view data, db_event::answered& e) {
  if (phase == db_phase::names) {
    const auto name = wire::decode<wire::string>(data);
    if (name) e.text = std::string(name->value);
    return name.has_value();
  }
  if (phase == db_phase::seqnum) return take_number(n, data, e);
  if (phase == db_phase::begin && machine_.plan().floe_only) {
    auto s = wire::decode<db_copy_state>(data);
    if (!s || s->changes > static_cast<std::uint32_t>(change_state::filled)) return false;
    e.copy = db_copy{.content = s->content,
                     .changes = static_cast<change_state>(s->changes),
                     .keys = s->keys,
                     .records = s->records,
                     .digest = s->digest,
                     .earlier = s->earlier};
    return true;
  }
  if (phase == db_phase::verify) {
    const auto d = wire::decode<db_digest>(data);
    if (d) e.number = d->sum ^ d->records;
    return d.has_value();
  }
  if (sends_records(phase) || phase == db_phase::push_confirm) {
    const auto count = wire::decode<std::uint32_t>(data);
    e.number = count.value_or(0);
    return count.has_value();
  }
  return true;
}

/// All records of the node are there. False: one of them could not be read.
bool db_recoverer::end_source(pnn n, db_event::answered& e) {
  auto& s = sources_[n];
  e.arrived = s.arrived;
  s.ended = true;
  if (merge_) {
    merge_->end_stream(n);
    take_winners();
  }
  return s.error.empty();
}

/// A ctdbd tells the number alone, and so does a floe of before.
bool db_recoverer::take_number(pnn n, byte_view data, db_event::answered& e) {
  pasts_.erase(n);
  if (const auto number = wire::decode<std::uint64_t>(data)) {
    e.number = *number;
    return true;
  }
  auto told = wire::decode<db_past>(data);
  if (!told || told->from.size() > past_limit) return false;
  e.number = told->number;
  e.past = {.written = told->written, .from = std::move(told->from)};
  pasts_[n] = e.past;
  return true;
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
                                 .cause = step_cause(m.answer),
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
  const auto past = pasts_.find(m.node);
  feed(db_event::answered{.run = m.run,
                          .phase = db_phase::seqnum,
                          .node = m.node,
                          .number = m.seqnum,
                          .whole = whole,
                          .past = past == pasts_.end() ? content_past{} : past->second});
}

}  // namespace floe
