/// Life, views, dispatch and reports of a database actor; and its store, with the errors dealt with.
#include "actors/database/database.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/types/database.hpp"
#include "protocol/types/db_statistics.hpp"
#include "protocol/wire/codec.hpp"
#include "protocol/rules/migration.hpp"

namespace floe {

database::database(node_environment env, database_config config, view_ptr view, address<node_message> node)
    : env_(env), config_(std::move(config)), view_(std::move(view)), node_(std::move(node)),
      state_since_(env.loop.now()), gen_(view_->mode == recovery_mode::normal ? view_->gen : generation::invalid) {}

database::~database() = default;

void database::start() {
  auto opened = store::open({.kind = config_.kind,
                             .file = config_.file,
                             .create_empty = config_.kind != db_kind::persistent,
                             .faults = env_.disk});
  if (!opened) {
    env_.log.error(fmt::format("database-open-failed db={} file={} why=\"{}\"", config_.name, config_.file,
                               opened.error().text));
    node_.tell(database_opened{config_.id, opened.error().text, {}});
    end();
    return;
  }
  store_ = std::make_unique<store>(std::move(*opened));
  if (const auto known = store_->get_meta(damage_name); known && *known) damage_ = **known;
  if (!config_.damage.empty()) {
    damage_ = config_.damage;
    if (auto done = store_->set_meta(damage_name, damage_); !done) storage_failed("note damage", done.error());
    if (auto done = store_->flush(); !done) storage_failed("note damage", done.error());
  }
  node_.tell(database_opened{config_.id, {}, damage_});
  if (view_->own_flags() & (node_flag::banned | node_flag::stopped)) become_inactive();
}

void database::receive(database_message& m) {
  std::visit([this](auto& x) { on(x); }, m);
}

void database::on(db_control& m) {
  if (updating_) return held_back_.push_back([this, m = std::move(m)]() mutable { on(m); });
  switch (m.opcode) {
    case control::record_lock: return record_lock(m);
    case control::record_read: return record_read(m);
    case control::record_store: return record_store(m);
    case control::record_delete: return record_delete(m);
    case control::record_unlock: return record_unlock(m);
    case control::record_scan: return record_scan(m);
    case control::db_freeze: return freeze(m);
    case control::db_thaw: return thaw(m);
    case control::db_transaction_start: return begin(m);
    case control::db_transaction_commit: return commit(m);
    case control::db_transaction_cancel: return cancel(m);
    case control::wipe_database: return wipe(m);
    case control::db_pull: return pull(m);
    case control::db_push_start: return push_start(m);
    case control::db_push_confirm: return push_confirm(m);
    case control::get_db_seqnum: return get_seqnum(m);
    case control::db_set_healthy: return declare_health(m, {});
    case control::db_damaged: {
      const auto about = wire::decode<db_disputed>(std::get<req_control>(m.packet->content.body).data);
      if (!about) return m.answer.fail("bad request");
      return declare_health(m, about->detail.empty() ? "damaged" : std::string(about->detail));
    }
    case control::get_db_statistics: return statistics(m);
    case control::try_delete_records: return try_delete_records(m);
    case control::trans3_commit: return trans3_commit(m);
    case control::update_record: return update_record(m);
    default: return m.answer.fail("not a control of a database");
  }
}

void database::on(db_view& m) {
  const auto out = node_flag::banned | node_flag::stopped;
  const bool was_out = view_->own_flags() & out;
  const auto before = std::exchange(view_, std::move(m.view));
  const auto mode = before->mode;
  ask_again_if_one_came(*before);
  const bool leaves = !was_out && (view_->own_flags() & out);
  if (leaves && !(mode == recovery_mode::active && mutated(mutant::inactive_not_frozen))) become_inactive();
  if (mode == view_->mode) return;
  follow(commit_.mode_changed(view_->mode));
  if (view_->mode == recovery_mode::active) serve_until_thaw();
}

void database::on(db_stop& m) {
  if (m.remove && working_) return held_back_.push_back([this] { close_for_good(); });
  if (m.remove) return close_for_good();
  if (store_ && !working_) (void)store_->flush();
  stop_push();
  end();
}

/// Detached: whoever waits is told, the file is closed and deleted.
void database::close_for_good() {
  stop_push();
  for (const bytes& key : locks_.keys())
    for (const auto& w : locks_.all().at(key).waiters) {
      env_.loop.cancel(w.deadline);
      if (w.what != lock_waiter::kind::call) continue;
      --env_.count.pending_calls;
      w.client.session.tell(session_send{make_frame(
          {.gen = view_->gen, .dest = pnn{0}, .src = env_.self, .id = w.packet->content.header.id},
          reply_call{.status = -1, .data = {}})});
    }
  env_.count.locks_held -= locks_.holders();
  store_.reset();
  std::error_code ignored;
  std::filesystem::remove(config_.file, ignored);
  std::filesystem::remove(config_.file + "-lock", ignored);
  node_.tell(database_closed{config_.id});
  end();
}

void database::on(db_work_done& m) {
  working_ = false;
  m.finish();
  if (store_ && store_->dirty()) plan_flush();
  // became inactive while the store was elsewhere: the freeze that goes with it was refused then
  if (store_ && (view_->own_flags() & (node_flag::banned | node_flag::stopped)) && gen_ != generation::invalid)
    become_inactive();
  catch_up();
}

// --- reports ---------------------------------------------------------------------------------------------------

void database::on(db_inspect& m) {
  const auto age_ms = [now = env_.loop.now()](time_point t) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - t).count();
  };
  database_report r{.id = config_.id, .name = config_.name, .path = config_.file, .damage = damage_, .kind = config_.kind,
                    .gen = gen_, .state = freeze_.state, .state_age_ms = age_ms(state_since_),
                    .migrations_pending = key_of_request_.size(), .migrations_done = migrations_done_,
                    .migrations_resent = migrations_resent_};
  r.commit = describe_commit();
  if (!r.commit.empty()) r.commit_age_ms = age_ms(commit_since_);
  r.locks_held = locks_.holders();
  for (const auto& [key, e] : locks_.all()) r.locks_waiting += e.waiters.size();
  if (store_ && !working_) r.records = store_->count().value_or(0);
  if (m.locks)
    for (const bytes& key : locks_.keys()) {
      const auto& e = locks_.all().at(key);
      if (e.holder)
        r.holders.push_back({.key = key, .client = e.holder->client.id, .pid = e.holder->client.pid,
                             .name = e.holder->client.name, .age_ms = age_ms(e.holder->since)});
      for (const auto& w : e.waiters) {
        const bool remote = w.what == lock_waiter::kind::peer_call;
        r.waiters.push_back({.key = key, .client = w.client.id, .pid = w.client.pid,
                             .name = remote ? "" : w.client.name,
                             .node = remote ? w.packet->content.header.src : env_.self,
                             .age_ms = age_ms(w.since), .why = why_waiting(e)});
      }
    }
  m.tell(std::move(r));
}

void database::statistics(db_control& m) {
  db_statistics s;
  s.locks = {.num_calls = static_cast<std::uint32_t>(count_.locks_granted + count_.locks_failed),
             .num_current = static_cast<std::uint32_t>(locks_.holders()),
             .num_failed = static_cast<std::uint32_t>(count_.locks_failed)};
  for (const auto& [key, e] : locks_.all()) s.locks.num_pending += static_cast<std::uint32_t>(e.waiters.size());
  const auto& l = count_.lock_latency;
  s.locks_latency = {.num = static_cast<std::int32_t>(l.num), .min = l.min, .max = l.max, .total = l.total};
  s.locks_buckets = count_.lock_buckets;
  s.hop_count_bucket = count_.hop_buckets;
  m.answer.good(wire::encode(s));
}

void database::on(db_traverse& m) {
  if (updating_) return held_back_.push_back([this, m = std::move(m)]() mutable { on(m); });
  if (working_ || freeze_.state == freeze_state::in_transaction)
    return m.done("database is being recovered");
  // a slice per turn, so that nothing else waits for a large database
  auto position = std::make_shared<scan_position>();
  auto slice = std::make_shared<std::function<void()>>();
  *slice = [this, m = std::move(m), position, weak = std::weak_ptr(slice)] {
    if (updating_) return held_back_.push_back([again = weak.lock()] { (*again)(); });
    if (working_) return m.done("database is being recovered");
    std::size_t sent = 0;
    auto next = store_->scan(*position, [&](const record_view& r) {
      if (sent > 256 * 1024) return false;
      const bool ours = config_.kind != db_kind::volatile_db || r.header.dmaster == env_.self;
      if (ours && (m.with_empty || !r.data.empty())) m.emit(r);
      sent += r.key.size() + r.data.size() + 64;
      return true;
    });
    if (!next) return m.done(next.error().text);
    if (next->at_end()) return m.done({});
    *position = *next;
    // `weak` is alive: somebody is running it
    self().tell(db_next_slice{[again = weak.lock()] { (*again)(); }});
  };
  (*slice)();
}

void database::on(db_next_slice& m) { m.go(); }

void database::note(std::string_view event, std::string detail) {
  node_.tell(note_event{{.wall_us = env_.loop.wall_us(), .event = event, .db = config_.id,
                         .detail = std::move(detail)}});
}

void database::changed(bool recovered) {
  node_.tell(database_changed{config_.id, freeze_.state, gen_, recovered});
}

void database::send_packet(pnn to, reqid id, pnn source, const packet_body& body, task written) {
  auto f = make_frame({.gen = gen_, .dest = to, .src = source, .id = id}, body);
  if (to == env_.self) {
    // a packet to ourselves takes the same way as one of a peer
    auto content = decode_packet(*f);
    node_.tell(peer_packet{env_.self, std::make_shared<const parcel>(parcel{f, std::move(*content)})});
    return;
  }
  if (const auto* p = view_->find(to)) p->link.tell(link_send{std::move(f), std::move(written)});
}

// --- the store -------------------------------------------------------------------------------------------------

record database::local(byte_view key, bool* found) {
  auto r = store_->get(key);
  if (found) *found = r && *r;
  if (!r) storage_failed("read", r.error());
  if (r && *r) return std::move(**r);
  return {bytes(key), missing_record_header(lmaster(key)), {}};
}

bool database::put(byte_view key, const record_header& header, byte_view data) {
  auto done = store_->put(key, header, data);
  if (!done) {
    storage_failed("store", done.error());
    return false;
  }
  plan_flush();
  return true;
}

/// Stores by the daemon's rules: may delete instead, bumps the rsn where we are dmaster. False: nothing has changed.
bool database::store_as_daemon(byte_view key, const record_header& header, byte_view data) {
  const auto d = decide_store(config_.kind, env_.self, lmaster(key), header, !data.empty());
  if (d.keep) return put(key, d.header, data);
  if (auto done = store_->erase(key); !done) {
    storage_failed("erase", done.error());
    return false;
  }
  plan_flush();
  return true;
}

/// A record has arrived and there is no room for it. Who sent it has given it up, so it is kept until there is; should a
/// recovery come first, that finds the sender's copy.
void database::store_later(pnn from, const parcel_ptr& p) {
  deferred_.push_back({from, p});
  env_.loop.after(std::chrono::milliseconds(500), [to = self()] { to.tell(db_flush{}); });
}

/// One commit for all that is already in the mailbox.
void database::plan_flush() {
  if (flush_planned_) return;
  flush_planned_ = true;
  self().tell(db_flush{});
}

void database::on(db_flush&) {
  flush_planned_ = false;
  if (working_) return;
  if (auto done = store_->flush(); !done) {
    storage_failed("commit", done.error());
    // nothing is lost: the group stays and is tried again
    env_.loop.after(std::chrono::seconds(1), [to = self()] { to.tell(db_flush{}); });
    return;
  }
  if (!deferred_.empty() && thawed()) serve_deferred();
}

void database::storage_failed(const char* doing, const store_error& e) {
  env_.log.error(fmt::format("storage-failed db={} doing={} code={} cause={} why=\"{}\"", config_.name, doing,
                             name(e.code), e.cause, e.text));
}

}  // namespace floe
