/// Locks, calls and migration: who gets a record next, and how it comes here.
#include <fmt/format.h>

#include <algorithm>

#include "actors/database/database.hpp"
#include "actors/hex.hpp"
#include "protocol/constants.hpp"
#include "protocol/controls.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/rules/placement.hpp"
#include "protocol/record_status.hpp"
#include "protocol/types/record_access.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// A request finds its record in a few hops, some dozens if many nodes fight for it.
constexpr std::uint32_t hops_that_mean_lost = 1000;

double seconds(duration d) { return std::chrono::duration<double>(d).count(); }
std::int64_t microseconds(duration d) {
  return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}

std::string describe(const client_ref& c, byte_view key) {
  return fmt::format("client={} pid={} name={} key={}", c.id, c.pid, c.name, to_hex(key));
}

}  // namespace

pnn database::lmaster(byte_view key) const { return lmaster_of(key, view_->map); }

// --- local clients -------------------------------------------------------------------------------------------

void database::record_lock(db_control& m) {
  auto r = wire::decode<record_lock_request>(std::get<req_control>(m.packet->content.body).data);
  if (!r || r->key.empty() || !m.client) return m.answer.fail("bad record_lock request");
  if (config_.kind != db_kind::volatile_db)
    return m.answer.fail(config_.name + " is written by transactions: there are no locks of records");
  lock_waiter w{.what = lock_waiter::kind::lock, .client = *m.client, .packet = m.packet, .from = env_.self};
  w.answer = m.answer;
  if (r->timeout_ms > 0) {
    w.id = ++last_waiter_;
    key_of_waiter_[w.id] = bytes(r->key);
    w.deadline = env_.loop.after(std::chrono::milliseconds(r->timeout_ms),
                                 [to = self(), id = w.id] { to.tell(db_lock_timeout{id}); });
  }
  enqueue(r->key, std::move(w));
}

void database::on(db_lock_timeout& m) {
  auto i = key_of_waiter_.find(m.waiter);
  if (i == key_of_waiter_.end()) return;
  const bytes key = std::move(i->second);
  key_of_waiter_.erase(i);
  auto* e = locks_.find(key);
  if (!e) return;
  auto w = std::ranges::find(e->waiters, m.waiter, &lock_waiter::id);
  if (w == e->waiters.end()) return;
  ++env_.count.locks_failed;
  ++count_.locks_failed;
  w->answer({record_status_timed_out, {}, "not granted in time: " + why_waiting(*e)});
  e->waiters.erase(w);
  advance(key);
}

void database::record_read(db_control& m) {
  auto r = wire::decode<record_read_request>(std::get<req_control>(m.packet->content.body).data);
  if (!r || r->key.empty() || !m.client) return m.answer.fail("bad record_read request");
  lock_waiter w{.what = lock_waiter::kind::read, .client = *m.client, .packet = m.packet, .from = env_.self};
  w.answer = m.answer;
  if (r->flags & record_read_local) {
    if (freeze_.state == freeze_state::in_transaction || working_)
      return m.answer.fail("database is being recovered");
    return answer_read(bytes(r->key), w);
  }
  if (config_.kind != db_kind::volatile_db) {
    // every node has all of it; there is nothing to migrate
    if (!thawed() || !map_applies(gen_, view_->gen)) return until_thaw_.push_back(std::move(m));
    return answer_read(bytes(r->key), w);
  }
  enqueue(r->key, std::move(w));
}

const bytes* database::held_key(const db_control& m, std::uint64_t lock_id) {
  const bytes* key = locks_.key_of(lock_id);
  if (!key || !m.client || locks_.find(*key)->holder->client.id != m.client->id) {
    m.answer({record_status_not_held, {}, "this lock is not held by this client"});
    return nullptr;
  }
  return key;
}

void database::record_store(db_control& m) {
  auto r = wire::decode<record_store_request>(std::get<req_control>(m.packet->content.body).data);
  if (!r) return m.answer.fail("bad record_store request");
  const bytes* held = held_key(m, r->lock_id);
  if (!held) return;
  const bytes key = *held;
  record_header h = local(key).header;
  // Every write counts: of two copies of one owner the later one has the higher rsn.
  h.rsn = next(h.rsn);
  if (!put(key, h, r->data)) return m.answer({record_status_storage, {}, "cannot store: see the node's log"});
  m.answer.good();
  if (r->flags & record_store_unlock) unlock(key, "stored");
}

void database::record_delete(db_control& m) {
  auto r = wire::decode<record_delete_request>(std::get<req_control>(m.packet->content.body).data);
  if (!r) return m.answer.fail("bad record_delete request");
  const bytes* held = held_key(m, r->lock_id);
  if (!held) return;
  const bytes key = *held;
  record_header h = local(key).header;
  h.rsn = next(h.rsn);
  // An empty record means "deleted" to everybody; it stays until vacuuming or a recovery drops it, so that an
  // older copy elsewhere does not come back.
  if (!put(key, h, {})) return m.answer({record_status_storage, {}, "cannot store: see the node's log"});
  m.answer.good();
  if (r->flags & record_store_unlock) unlock(key, "deleted");
}

void database::record_unlock(db_control& m) {
  auto r = wire::decode<record_unlock_request>(std::get<req_control>(m.packet->content.body).data);
  if (!r) return m.answer.fail("bad record_unlock request");
  const bytes* held = held_key(m, r->lock_id);
  if (!held) return;
  m.answer.good();
  unlock(bytes(*held), "unlocked");
}

void database::unlock(const bytes& key, const char* why) {
  auto* e = locks_.find(key);
  const auto& h = *e->holder;
  // Short undisturbed holds are the normal case and no news.
  if (!e->waiters.empty() || !thawed() || env_.loop.now() - h.since > std::chrono::milliseconds(100))
    note("lock-release", fmt::format("{} held_us={} why={}", describe(h.client, key),
                                     microseconds(env_.loop.now() - h.since), why));
  locks_.release(*e);
  --env_.count.locks_held;
  if (freeze_.state == freeze_state::freezing && locks_.holders() == 0)
    transition(freeze_event::last_holder_gone{}, {});
  advance(key);
}

void database::on(db_client_call& m) {
  ++env_.count.total_calls;
  ++env_.count.pending_calls;
  const auto& call = std::get<req_call>(m.packet->content.body);
  lock_waiter w{.what = lock_waiter::kind::call, .client = m.client, .packet = m.packet, .from = env_.self};
  enqueue(call.key, std::move(w));
}

void database::on(db_client_gone& m) {
  if (commit_client_ == m.client) follow(commit_.client_gone());
  std::erase_if(until_thaw_, [&](const db_control& c) { return c.client && c.client->id == m.client; });
  for (const bytes& key : locks_.keys()) {
    auto* e = locks_.find(key);
    if (!e) continue;
    for (const auto& w : e->waiters) {
      if (w.client.id != m.client) continue;
      if (w.what == lock_waiter::kind::call) --env_.count.pending_calls;
      if (w.id) key_of_waiter_.erase(w.id);
      env_.loop.cancel(w.deadline);
    }
    std::erase_if(e->waiters, [&](const lock_waiter& w) { return w.client.id == m.client; });
    if (e->holder && e->holder->client.id == m.client)
      unlock(key, "client-gone");
    else
      advance(key);
  }
}

// --- the queue of a key ----------------------------------------------------------------------------------------

void database::enqueue(byte_view key, lock_waiter w) {
  const auto arrival = env_.loop.now();
  w.since = arrival;
  w.gen = gen_;
  auto& e = locks_.at(key);
  e.waiters.push_back(std::move(w));
  const bytes k(key);
  advance(k);
  auto* now = locks_.find(k);
  if (!now || now->waiters.empty()) return;
  need_tick();
  // whoever is still in the queue after its first chance waits: worth a place on the timeline
  auto& last = now->waiters.back();
  if (last.what == lock_waiter::kind::lock && !last.noted && last.since == arrival) {
    last.noted = true;
    note("lock-wait", fmt::format("{} why={}", describe(last.client, k), why_waiting(*now)));
  }
}

std::string database::why_waiting(const lock_table::entry& e) const {
  if (e.holder)
    return fmt::format("held-by-client-{}-pid-{}", e.holder->client.id, e.holder->client.pid);
  if (!thawed()) return fmt::format("database-{}", name(freeze_.state));
  if (!map_applies(gen_, view_->gen)) return "database-not-recovered";
  if (e.migration) return fmt::format("migrating-from-node-{}", number(e.migration->to));
  return "queued";
}

void database::advance(const bytes& key) {
  while (auto* e = locks_.find(key)) {
    if (!thawed() || e->holder || e->waiters.empty()) break;
    if (!serve_front(key, *e)) break;
  }
  locks_.tidy(key);
}

/// Acts for the first in the queue; false if it has to wait. The queue may have changed altogether afterwards.
bool database::serve_front(const bytes& key, lock_table::entry& e) {
  if (e.waiters.front().what == lock_waiter::kind::peer_call) {
    if (!map_applies(gen_, view_->gen)) return false;
    if (held_for_us(e, e.waiters.front())) {
      // the record is on its way here for somebody behind it in the queue; local requests go first
      auto local_one = std::ranges::find_if(
          e.waiters, [](const lock_waiter& w) { return w.what != lock_waiter::kind::peer_call; });
      if (local_one == e.waiters.end()) return false;
      std::rotate(e.waiters.begin(), local_one, local_one + 1);
      return serve_front(key, e);
    }
    auto w = std::move(e.waiters.front());
    e.waiters.pop_front();
    settle_peer_call(key, w);
    return true;
  }
  bool found = false;
  const auto here = decide_local_call(env_.self, local(key, &found).header);
  // A new map is set and this database not recovered yet: the map says nothing about its records. What is ours
  // goes on, everything else waits for the thaw; a new lmaster would invent a record beside the real one.
  if (!map_applies(gen_, view_->gen) && !(found && here.serve)) return false;
  if (!here.serve) {
    if (!e.migration) ask_for(key, e, here.ask);
    // requests of others that are not to be held back find their way while we wait
    for (auto i = e.waiters.begin(); i != e.waiters.end(); ++i) {
      if (i->what != lock_waiter::kind::peer_call || held_for_us(e, *i)) continue;
      auto w = std::move(*i);
      e.waiters.erase(i);
      settle_peer_call(key, w);
      return true;
    }
    return false;
  }
  if (e.waiters.front().what == lock_waiter::kind::lock) {
    grant(key, e);
    return true;
  }
  auto w = std::move(e.waiters.front());
  e.waiters.pop_front();
  if (w.what == lock_waiter::kind::read)
    answer_read(key, w);
  else
    answer_call(key, w);
  return true;
}

void database::grant(const bytes& key, lock_table::entry& e) {
  auto w = std::move(e.waiters.front());
  e.waiters.pop_front();
  if (w.id) key_of_waiter_.erase(w.id);
  env_.loop.cancel(w.deadline);
  const auto waited = env_.loop.now() - w.since;
  env_.count.count_lock(seconds(waited));
  count_.count_lock(seconds(waited));
  ++env_.count.locks_held;
  if (w.noted)
    note("lock-grant", fmt::format("{} waited_us={}", describe(w.client, key), microseconds(waited)));
  const auto lock_id = static_cast<std::uint64_t>(number(config_.id)) << 32 | ++last_lock_;
  locks_.grant(key, e, {.lock_id = lock_id, .client = w.client, .since = env_.loop.now()});
  const record r = local(key);
  w.answer.good(wire::encode(record_lock_reply{.header = r.header, .data = r.data, .lock_id = lock_id}));
}

void database::answer_read(const bytes& key, const lock_waiter& w) {
  bool found = false;
  const record r = local(key, &found);
  w.answer.good(wire::encode(record_read_reply{
      .found = found && !r.data.empty() ? 1U : 0U, .header = r.header, .data = r.data}));
}

void database::answer_call(const bytes& key, const lock_waiter& w) {
  const record r = local(key);
  const auto& call = std::get<req_call>(w.packet->content.body);
  bytes data;
  if (call.callid == call_id::fetch) data = r.data;
  if (call.callid == call_id::fetch_with_header) data = wire::encode(r.header) + r.data;
  store_as_daemon(key, r.header, r.data);
  --env_.count.pending_calls;
  env_.count.call_latency.add(seconds(env_.loop.now() - w.since));
  w.client.session.tell(session_send{make_frame(
      {.gen = view_->gen, .dest = pnn{0}, .src = env_.self, .id = w.packet->content.header.id},
      reply_call{.status = 0, .data = data})});
}

// --- other nodes ---------------------------------------------------------------------------------------------

void database::on(db_peer_packet& m) {
  std::visit(
      [&](const auto& body) {
        if constexpr (requires { peer(m.from, m.packet, body); }) peer(m.from, m.packet, body);
      },
      m.packet->content.body);
}

void database::peer(pnn from, const parcel_ptr& p, const req_call& call) {
  lock_waiter w{.what = lock_waiter::kind::peer_call, .packet = p, .from = from};
  enqueue(call.key, std::move(w));
}

/// A request that the lmaster sent here while our own request for the record is under way: the lmaster already
/// counts us as the owner, the record will be here in a moment, and sending the request back would make it bounce.
/// The same at the lmaster itself: it asked before, so it is served before.
bool database::held_for_us(const lock_table::entry& e, const lock_waiter& w) const {
  if (!e.migration || w.what != lock_waiter::kind::peer_call) return false;
  const auto& call = std::get<req_call>(w.packet->content.body);
  const pnn tracks = lmaster(call.key);
  return w.packet->content.header.src != env_.self && (w.from == tracks || tracks == env_.self) &&
         env_.loop.now() - w.since < config_.resend_after;
}

void database::settle_peer_call(const bytes& key, const lock_waiter& w) {
  const auto& header = w.packet->content.header;
  auto call = std::get<req_call>(w.packet->content.body);
  if (!accept_generation(header.gen, view_->gen, false)) {
    ++env_.count.dropped_generation;
    return;
  }
  bool found = false;
  record r = local(key, &found);
  if (!found) {
    const auto missing = decide_missing(config_.kind, env_.self, lmaster(key));
    r.header = missing.header;
    if (missing.write) put(key, r.header, {});
  }
  const auto d = decide_req_call(env_.self, lmaster(key), header.src, r.header, call.hopcount);
  if (d.report_hops)
    env_.log.warning(fmt::format("request-wanders db={} key={} hops={} source={}", config_.name,
                                 to_hex(key), d.hops, number(header.src)));
  switch (d.outcome) {
    case req_call_outcome::serve_own:
      break;  // an old copy of a request of ours; its record has long been granted
    case req_call_outcome::redirect:
      if (d.hops >= hops_that_mean_lost) {
        node_.tell(want_recovery{fmt::format("a request for {} of {} wanders: nobody has the record", to_hex(key), config_.name)});
        break;  // whoever asked asks again at the thaw
      }
      call.hopcount = d.hops;
      send_packet(d.to, header.id, header.src, call);
      break;
    case req_call_outcome::give_directly:
    case req_call_outcome::give_via_lmaster: {
      env_.count.count_hops(d.hops);
      count_.count_hops(d.hops);
      const bool has_data = !r.data.empty();
      const record_header kept = giveaway_header(r.header, has_data, header.src);
      if (!store_as_daemon(key, kept, r.data)) {
        // given away without a note of it, it would have two owners: whoever asked asks again
        send_packet(header.src, header.id, env_.self,
                    reply_error{.status = -1, .message = "the record cannot be given away: storage failed"});
        break;
      }
      if (d.outcome == req_call_outcome::give_directly)
        send_packet(header.src, header.id, env_.self,
                    reply_dmaster{.db = config_.id, .rsn = kept.rsn, .key = key, .data = r.data,
                                  .record_flags = kept.flags});
      else
        send_packet(d.to, header.id, env_.self,
                    req_dmaster{.db = config_.id, .rsn = kept.rsn, .dmaster = header.src, .key = key,
                                .data = r.data, .record_flags = kept.flags});
      break;
    }
    case req_call_outcome::unroutable:
      send_packet(header.src, header.id, env_.self,
                  reply_error{.status = -1, .message = "no vnn map: nobody to ask"});
      break;
  }
}

/// A record on its way must not be lost: nodes are thawed one after the other, and one that is thawed already may
/// hand over a record to one that is not. What arrives then waits for the thaw.
bool database::wait_for_thaw(pnn from, const parcel_ptr& p) {
  const bool granting = freeze_.state == freeze_state::thawed || freeze_.state == freeze_state::freezing;
  if (granting && map_applies(gen_, view_->gen)) return false;
  deferred_.push_back({from, p});
  return true;
}

void database::serve_deferred() {
  for (auto& d : std::exchange(deferred_, {}))
    if (accept_generation(d.packet->content.header.gen, view_->gen, false)) on(d);
}

void database::peer(pnn from, const parcel_ptr& p, const req_dmaster& m) {
  const auto& header = p->content.header;
  if (wait_for_thaw(from, p)) return;
  bool found = false;
  const record mine = local(m.key, &found);
  const auto d = decide_req_dmaster(
      env_.self, lmaster(m.key),
      {.source = from, .new_dmaster = m.dmaster, .rsn = m.rsn, .flags = m.record_flags.value_or(0)},
      found ? std::optional(mine.header) : std::nullopt);
  if (d.ask_for_recovery()) {
    node_.tell(want_recovery{fmt::format("node {} gave away a record of {} that {}", number(from), config_.name,
                                         d.outcome == req_dmaster_outcome::not_lmaster
                                             ? "this node is not lmaster of"
                                             : "it does not own")});
    return;
  }
  if (d.local_is_newer)
    env_.log.warning(fmt::format("rsn-went-back db={} key={} here={} packet={} from={}", config_.name,
                                 to_hex(m.key), number(mine.header.rsn), number(m.rsn), number(from)));
  if (!store_as_daemon(m.key, d.header, m.data)) return store_later(from, p);
  if (d.outcome == req_dmaster_outcome::become)
    arrived(bytes(m.key), header.id);
  else
    send_packet(m.dmaster, header.id, env_.self,
                reply_dmaster{.db = config_.id, .rsn = m.rsn, .key = m.key, .data = m.data,
                              .record_flags = m.record_flags.value_or(0)});
  advance(bytes(m.key));
}

void database::peer(pnn from, const parcel_ptr& p, const reply_dmaster& m) {
  if (wait_for_thaw(from, p)) return;
  const auto d = decide_reply_dmaster(
      env_.self,
      {.source = from, .new_dmaster = env_.self, .rsn = m.rsn, .flags = m.record_flags.value_or(0)}, {});
  if (!store_as_daemon(m.key, d.header, m.data)) return store_later(from, p);
  arrived(bytes(m.key), p->content.header.id);
}

void database::peer(pnn, const parcel_ptr&, const reply_call&) {
  // We never ask for read-only copies, so nobody has a reason to send one: ignored.
}

void database::peer(pnn from, const parcel_ptr& p, const reply_error& m) {
  auto i = key_of_request_.find(number(p->content.header.id));
  if (i == key_of_request_.end()) return;
  const bytes key = i->second;
  auto* e = locks_.find(key);
  env_.log.warning(fmt::format("migration-refused db={} key={} by={} why=\"{}\"", config_.name, to_hex(key),
                               number(from), m.message));
  // Typically the node has not attached the database yet. The next tick asks again, by way of the lmaster.
  if (e && e->migration) e->migration->sent = time_point{};
  need_tick();
}

/// A record has become ours: whoever waits for it is served, whatever request brought it.
void database::arrived(const bytes& key, reqid) {
  ++migrations_done_;
  if (auto* e = locks_.find(key); e && e->migration) {
    const auto waited = env_.loop.now() - e->migration->since;
    if (e->migration->sends > 1 || waited > std::chrono::milliseconds(20))
      note("migration-done", fmt::format("key={} waited_us={}", to_hex(key), microseconds(waited)));
    key_of_request_.erase(number(e->migration->id));
    e->migration.reset();
  }
  advance(key);
}

void database::ask_for(const bytes& key, lock_table::entry& e, pnn whom) {
  if (whom == pnn::unknown || whom == env_.self) return;  // no map yet; the next one thaws us and we come again
  const auto now = env_.loop.now();
  auto m = e.migration.value_or(migration_request{.since = now});
  const bool again = m.sends > 0;
  if (again) key_of_request_.erase(number(m.id));
  // a late answer to the old number must not be taken for the new one
  m.id = env_.ids.take_unless([this](std::uint32_t n) { return key_of_request_.contains(n); });
  m.to = whom;
  m.gen = gen_;
  m.sent = now;
  ++m.sends;
  e.migration = m;
  key_of_request_[number(m.id)] = key;
  if (again) ++migrations_resent_;
  if (again || !thawed() || view_->mode == recovery_mode::active)
    note(again ? "migration-resent" : "migration-sent",
         fmt::format("key={} to={} reqid={} gen={}", to_hex(key), number(whom), number(m.id), number(gen_)));
  send_packet(whom, m.id, env_.self,
              req_call{.flags = call_flag::immediate_migration, .db = config_.id, .callid = call_id::null,
                       .hopcount = 0, .key = key, .data = {}});
  need_tick();
}

/// At thaw: every pending request is asked again with a new number and the new generation, by the new map.
void database::resend_pending() {
  for (const bytes& key : locks_.keys()) {
    auto* e = locks_.find(key);
    if (!e) continue;
    if (e->migration) {
      const auto here = decide_local_call(env_.self, local(key).header);
      if (here.serve) {
        // the recovery made this node its dmaster: the request, sent again, ends here
        ++migrations_resent_;
        note("migration-resent", fmt::format("key={} to={} reqid={} gen={}", to_hex(key), number(env_.self),
                                             number(env_.ids.take()), number(gen_)));
        arrived(key, e->migration->id);
      } else
        ask_for(key, *e, here.ask);
    }
    advance(key);
  }
}

/// Requests of other nodes that waited through a recovery are dropped: their senders ask again at their thaw.
void database::drop_stale_waiters(generation before) {
  if (before == gen_) return;
  for (const bytes& key : locks_.keys()) {
    auto* e = locks_.find(key);
    std::erase_if(e->waiters, [&](const lock_waiter& w) {
      return !survives_wait(w.what == lock_waiter::kind::peer_call, w.gen, gen_);
    });
    locks_.tidy(key);
  }
}

void database::on(db_tick&) {
  ticking_ = false;
  if (freeze_.state == freeze_state::freezing) name_holders();
  if (thawed() && map_applies(gen_, view_->gen))
    for (const bytes& key : locks_.keys()) {
      auto* e = locks_.find(key);
      if (!e || !e->migration) continue;
      if (e->waiters.empty()) {  // whoever wanted it is gone; if it still comes, it is stored
        key_of_request_.erase(number(e->migration->id));
        e->migration.reset();
        locks_.tidy(key);
        continue;
      }
      if (env_.loop.now() - e->migration->sent < config_.resend_after) continue;
      ask_for(key, *e, lmaster(key) == env_.self ? local(key).header.dmaster : lmaster(key));
      advance(key);
    }
  if (!locks_.empty()) need_tick();
}

void database::need_tick() {
  if (ticking_) return;
  ticking_ = true;
  env_.loop.after(std::chrono::seconds(1), [to = self()] { to.tell(db_tick{}); });
}

}  // namespace floe
