/// What clients of this node do with records: lock, read, store, delete, unlock; and their calls.
#include <fmt/format.h>

#include <algorithm>

#include "actors/database/database.hpp"
#include "actors/events.hpp"
#include "actors/hex.hpp"
#include "actors/table/layout.hpp"
#include "protocol/constants.hpp"
#include "protocol/controls.hpp"
#include "protocol/record_limits.hpp"
#include "protocol/record_status.hpp"
#include "protocol/record_table_flags.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/types/rec_data.hpp"
#include "protocol/types/record_access.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

bool too_large(byte_view key, byte_view data, const replier& answer) {
  if (key.size() + data.size() <= record_size_max) return false;
  answer.fail(fmt::format("key and data of {} bytes are too large for a record: {} at most",
                          key.size() + data.size(), record_size_max));
  return true;
}

}  // namespace

void database::record_lock(db_control& m) {
  const auto& r = m.request<control::record_lock>();
  if (!m.client) return m.answer.fail("bad record_lock request");
  if (config_.kind != db_kind::volatile_db)
    return m.answer.fail(config_.name +
                         " is written by transactions: there are no locks of records");
  if (too_large(r.key, {}, m.answer)) return;
  if (is_crowded(r.key, *m.client, m.answer)) return;
  if (cannot_take(r.key)) return refuse_for_room(m.answer);
  if (const auto& u = m.client->usage; u && u->locks >= client_usage::most_locks) {
    ++u->refused;
    return m.answer.fail(fmt::format(
        "this client holds {} record locks of this node, which is the limit", u->locks));
  }
  const auto thread = r.flags >> record_lock_thread_shift;
  if (r.flags & record_lock_take_over) return take_over_from_table(m, bytes(r.key), thread);
  lock_waiter w{
      .use = record_use::lock, .client = *m.client, .packet = m.packet, .from = env_.self};
  w.answer = m.answer;
  if (r.flags & record_lock_in_table && thread <= table_threads_max) w.table_thread = thread;
  if (r.timeout_ms > 0) {
    w.id = locks_.number_waiter(r.key);
    w.deadline = env_.loop.after(std::chrono::milliseconds(r.timeout_ms),
                                 [to = self(), id = w.id] { to.tell(db_lock_timeout{id}); });
  }
  enqueue(r.key, std::move(w));
}

void database::on(db_lock_timeout& m) {
  const auto known = locks_.take_key_of_waiter(m.waiter);
  if (!known) return;
  const bytes& key = *known;
  auto* e = locks_.find(key);
  if (!e) return;
  auto w = std::ranges::find(e->waiters, m.waiter, &lock_waiter::id);
  if (w == e->waiters.end()) return;
  ++env_.count.locks_failed;
  ++count_.locks_failed;
  w->answer.status(record_status_timed_out, "not granted in time: " + why_waiting(key, *e));
  e->waiters.erase(w);
  advance(key);
}

void database::record_read(db_control& m) {
  const auto& r = m.request<control::record_read>();
  if (!m.client) return m.answer.fail("bad record_read request");
  if (too_large(r.key, {}, m.answer)) return;
  lock_waiter w{
      .use = record_use::read, .client = *m.client, .packet = m.packet, .from = env_.self};
  w.answer = m.answer;
  if (r.flags & record_read_local) {
    if (freeze_.state == freeze_state::in_transaction || store_use_ != store_use::here)
      return m.answer.fail("database is being recovered");
    table_.collect();
    return answer_read(bytes(r.key), w);
  }
  if (config_.kind == db_kind::volatile_db && is_crowded(r.key, *m.client, m.answer)) return;
  if (cannot_take(r.key) && !(r.flags & record_read_settled)) return refuse_for_room(m.answer);
  if (r.flags & record_read_settled && config_.kind == db_kind::volatile_db)
    w.use = record_use::look;
  if (config_.kind != db_kind::volatile_db) {
    // every node has all of it; there is nothing to migrate
    if (!thawed() || !port_.is_of_map()) return until_thaw_.push_back(std::move(m));
    return answer_read(bytes(r.key), w);
  }
  enqueue(r.key, std::move(w));
}

void database::record_scan(db_control& m) {
  constexpr std::size_t most_bytes = 1 << 20;
  const auto& r = m.request<control::record_scan>();
  if (!m.client) return m.answer.fail("bad record_scan request");
  if (!thawed()) return until_thaw_.push_back(std::move(m));
  table_.collect();
  const std::size_t limit = std::min<std::size_t>(r.max_bytes, most_bytes);
  rec_buffer_builder found(config_.id);
  bool after_empty = false;
  const auto taken = store_->scan(r.after.empty() ? scan_position() : scan_position::after(r.after),
                                  [&](const record_view& one) {
                                    // who goes on after the empty key would begin anew
                                    if (!found.empty() && !after_empty &&
                                        found.size_with(one.key.size(), one.data.size()) > limit)
                                      return false;
                                    after_empty = one.key.empty();
                                    found.add(one.key, one.header, one.data);
                                    return true;
                                  });
  if (!taken) {
    storage_.failed("scan", taken.error());
    return m.answer.status(record_status_storage, "cannot read: " + taken.error().text);
  }
  m.answer.good(found.take());
}

/// RECORD_TABLE: a client wants to use the table, or has given its mapping up.
void database::record_table_control(db_control& m) {
  if (!m.client) return m.answer.fail("only for clients of this node");
  const auto flags = m.request<control::record_table>().flags;
  if (!(flags & record_table_leave)) return table_.admit(m);
  table_client_gone(m.client->id, true);
  m.answer.good();
}

/// A record that a client has in the table becomes one that it locks by number: it wants to store more than fits.
void database::take_over_from_table(const db_control& m, const bytes& key, std::uint32_t thread) {
  if (own_freeze_ == own_freeze::voided)
    return m.answer.status(record_status_not_held, "others have gone on without this node");
  switch (table_.hand_over(m.client->id, key, thread)) {
    case hot_records::handed_over::not_held:
      return m.answer.status(record_status_not_held,
                             "this thread does not hold the record in the table");
    case hot_records::handed_over::cannot_store:
      return m.answer.status(record_status_storage, "cannot store: see the node's log");
    case hot_records::handed_over::done: break;
  }
  const auto lock_id = hold(key, locks_.at(key), *m.client);
  const record r = local(key);
  m.answer.good(
      wire::encode(record_lock_reply{.header = r.header, .data = r.data, .lock_id = lock_id}));
}

/// From now on the client holds the lock, by the number that is returned.
std::uint64_t database::hold(const bytes& key, lock_table::entry& e, const client_ref& client) {
  ++env_.count.locks_held;
  const auto lock_id = locks_.next_lock(config_.id);
  locks_.grant(key, e,
               {.lock_id = lock_id,
                .client = client,
                .since = env_.loop.now(),
                .share = usage_share::lock(client.usage, key.size())});
  locks_.concerns(client.id, key);  // who is granted at once was in no queue
  return lock_id;
}

bool database::is_wanted(byte_view key) { return locks_.find(key) || table_.has(key); }

bool database::anybody_holds() const { return locks_.holders() > 0 || table_.any_holder(); }

/// Of all clients of this node: a freeze waits for them.
std::vector<key_holder> database::lock_holders() const {
  std::vector<key_holder> all;
  for (const bytes& key : locks_.keys())
    if (const auto& e = locks_.all().at(key); e.holder)
      all.push_back({key, e.holder->client, env_.loop.now() - e.holder->since});
  std::ranges::move(table_.holders(), std::back_inserter(all));
  return all;
}

const bytes* database::held_key(const db_control& m, std::uint64_t lock_id) {
  const bytes* key = locks_.key_of(lock_id);
  if (!key || !m.client || locks_.find(*key)->holder->client.id != m.client->id) {
    m.answer.status(record_status_not_held, "this lock is not held by this client");
    return nullptr;
  }
  return key;
}

/// What a holder stores on a node that is cut off waits, and what he asks for after that. So it does from the moment a new
/// map is set: the freeze that follows says whether what is here counts (rule R2 of the model, tests/model/README.md).
bool database::hold_if_muted(db_control& m) {
  const bool of_before = thawed() && !port_.is_of_map();
  if (own_freeze_ != own_freeze::muted && !of_before) return false;
  const bool waits =
      m.opcode != control::record_unlock || std::ranges::any_of(muted_, [&](const db_control& c) {
        return c.client && m.client && c.client->id == m.client->id;
      });
  if (waits) muted_.push_back(std::move(m));
  return waits;
}

/// Others have gone on without this node: the lock is worth nothing, and gone with the answer.
bool database::refuse_if_voided(const db_control& m, const bytes& key) {
  if (own_freeze_ != own_freeze::voided) return false;
  m.answer.status(record_status_not_held, "others have gone on without this node");
  unlock(key, "voided");
  return true;
}

void database::record_store(db_control& m) {
  if (hold_if_muted(m)) return;
  const auto& r = m.request<control::record_store>();
  const bytes* held = held_key(m, r.lock_id);
  if (!held) return;
  const bytes key = *held;
  if (refuse_if_voided(m, key)) return;
  if (too_large(key, r.data, m.answer)) return;
  const record_header h = written_header(own_header(key));
  if (!put(key, h, r.data))
    return m.answer.status(record_status_storage, "cannot store: " + storage_.last_refusal());
  store_->changes().written(key);  // also if it is what it was
  witness(&database_witness::acknowledged, key, h, r.data.empty());
  m.answer.good();
  if (r.flags & record_store_unlock) unlock(key, "stored");
}

void database::record_delete(db_control& m) {
  if (hold_if_muted(m)) return;
  const auto& r = m.request<control::record_delete>();
  const bytes* held = held_key(m, r.lock_id);
  if (!held) return;
  const bytes key = *held;
  if (refuse_if_voided(m, key)) return;
  const record_header h = written_header(own_header(key));
  // An empty record means "deleted" to everybody; it stays until vacuuming or a recovery drops it, so that an
  // older copy elsewhere does not come back.
  if (!put(key, h, {}))
    return m.answer.status(record_status_storage, "cannot store: " + storage_.last_refusal());
  store_->changes().written(key);  // also if there was nothing: who deletes it wants it gone
  witness(&database_witness::acknowledged, key, h, true);
  m.answer.good();
  if (r.flags & record_store_unlock) unlock(key, "deleted");
}

void database::record_unlock(db_control& m) {
  if (hold_if_muted(m)) return;
  const auto& r = m.request<control::record_unlock>();
  const bytes* held = held_key(m, r.lock_id);
  if (!held) return;
  m.answer.good();
  unlock(bytes(*held), "unlocked");
}

void database::unlock(const bytes& key, const char* why) {
  auto* e = locks_.find(key);
  const auto& h = *e->holder;
  // Short undisturbed holds are the normal case and no news.
  if (!e->waiters.empty() || !thawed() ||
      env_.loop.now() - h.since > std::chrono::milliseconds(100))
    note(event::lock_release{.client = h.client.id,
                             .pid = h.client.pid,
                             .name = h.client.name,
                             .key = to_hex(key),
                             .held_us = in_us(env_.loop.now() - h.since),
                             .why = why});
  locks_.release(*e);
  witness(&database_witness::released, key);
  --env_.count.locks_held;
  if (freeze_.state == freeze_state::freezing && !anybody_holds())
    transition(freeze_event::last_holder_gone{}, {});
  advance(key);
}

void database::on(db_client_call& m) {
  ++env_.count.total_calls;
  ++env_.count.pending_calls;
  const auto& call = std::get<req_call>(m.packet->content.body);
  if (is_crowded(call.key, m.client, {}) || cannot_take(call.key))
    return end_call(m.client, m.packet->content.header, -1);
  lock_waiter w{.use = record_use::call, .client = m.client, .packet = m.packet, .from = env_.self};
  enqueue(call.key, std::move(w));
}

void database::on(db_client_gone& m) {
  commit_.client_gone(m.client);
  table_client_gone(m.client, false);
  std::erase_if(muted_, [&](const db_control& c) { return c.client && c.client->id == m.client; });
  std::erase_if(until_thaw_,
                [&](const db_control& c) { return c.client && c.client->id == m.client; });
  // as many requests in one turn, and the rest in later ones: others are served in between
  constexpr std::size_t slice = 2000;
  struct work {
    std::vector<bytes> keys;
    std::size_t next = 0;
  };
  auto go = std::make_shared<task>();
  *go = [this, client = m.client,
         left = std::make_shared<work>(work{locks_.take_keys_of(m.client)}),
         weak = std::weak_ptr(go)] {
    for (std::size_t done = 0; done < slice && left->next < left->keys.size(); ++left->next) {
      const bytes& key = left->keys[left->next];
      const auto* e = locks_.find(key);
      done += 1 + (e ? e->waiters.size() : 0);
      client_left(key, client);
    }
    // `weak` is alive: somebody is running it
    if (left->next < left->keys.size())
      self().tell(db_next_slice{[again = weak.lock()] { (*again)(); }});
  };
  (*go)();
}

void database::client_left(const bytes& key, std::uint64_t client) {
  auto* e = locks_.find(key);
  if (!e) return;
  for (const auto& w : e->waiters) {
    if (w.client.id != client) continue;
    if (w.use == record_use::call) --env_.count.pending_calls;
    locks_.forget_number(w);
    env_.loop.cancel(w.deadline);
  }
  std::erase_if(e->waiters, [&](const lock_waiter& w) { return w.client.id == client; });
  if (e->holder && e->holder->client.id == client)
    unlock(key, "client-gone");
  else
    advance(key);
}

}  // namespace floe
