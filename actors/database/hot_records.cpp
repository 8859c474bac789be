/// What goes into a database's record table and comes out. A record in the table is the newest copy; the store's is behind
/// until `out_of_table`. What clients and the table do to each other: actors/table/README.md. Who may use the table:
/// table_clients.cpp; what a freeze does with it: table_freeze.cpp.
#include "actors/database/hot_records.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/database/database.hpp"
#include "actors/database/log_text.hpp"
#include "actors/events.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/record_status.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/types/record_access.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// What was stored in the table is taken into the store at least so often.
constexpr auto collect_every = std::chrono::milliseconds(100);
/// A recalled record is looked at so often; normally its holder's unlock wakes us.
constexpr auto look_every = std::chrono::milliseconds(10);
constexpr unsigned ticks_to_cool = 10;
/// Records whose past is remembered.
constexpr std::size_t history_max = 4096;
/// So long clients go on without a word from us. Shorter than FloeKeepaliveLimitMs: before others go on without this node.
constexpr auto answered_for = std::chrono::seconds(1);
/// What a full disk has refused is tried again.
constexpr auto room_comes_after = std::chrono::milliseconds(500);

std::uint64_t in_us(time_point t) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(t.time_since_epoch()).count());
}

}  // namespace

// --- into the table --------------------------------------------------------------------------------------------

/// Puts a record of ours in, with its lock granted, or free: what the store has. False: there is no room.
bool database::into_table(const bytes& key, const record& r, table_holder holder) {
  auto& h = *hot_records_;
  const auto try_it = [&] {
    return h.table->promote(key, number(r.header.rsn), r.header.flags, r.data, holder);
  };
  auto at = try_it();
  if (!at && make_room(key, at.error())) at = try_it();
  if (!at) return false;
  const auto last = h.history.find(key);
  const auto now = env_.loop.now();
  h.stays[at->slot] = {
      .seen = {.since = now,
               .allowed = stay_allowed(
                   last == h.history.end() ? std::nullopt : std::optional(last->second),
                   table_rules_.stay),
               .pinned_until = stays_.until(key),
               .still_since = now},
      .locks_before = h.table->locks_of(at->slot)};
  answer_for_table();
  table_tick_later();
  return true;
}

/// The lock is granted in the table instead of here, if the client can use it and there is room.
bool database::grant_in_table(const bytes& key, lock_waiter& w) {
  if (w.table_thread == 0 || !hot_records_ || !table_rules_.on) return false;
  auto& h = *hot_records_;
  const auto user = h.users.find(w.client.id);
  if (user == h.users.end() || h.table->closed()) return false;
  const record r = local(key);
  if (!into_table(key, r, holder_of(user->second.number, w.table_thread))) return false;
  witness(&database_witness::granted, key, r.header);
  w.answer.good(wire::encode(record_lock_reply{.header = r.header, .data = r.data, .lock_id = 0}));
  return true;
}

/// A record of ours that clients read again and again is read in the table from now on, without asking us. Not at the
/// first read: most records are read once, and would drive out what is hot.
void database::read_in_table(const bytes& key, const record& r) {
  auto& h = *hot_records_;
  if (!h.was_read(table_hash(key))) return;
  (void)into_table(key, r, table_holder::none);
}

/// Takes the coldest record out that stands in the way, if nobody holds it.
bool database::make_room(const bytes& key, promote_refusal why) {
  auto& t = *hot_records_->table;
  if (why == promote_refusal::closed || why == promote_refusal::too_large) return false;
  const auto cold = t.victims(key);
  const auto victim = why == promote_refusal::set_full
                          ? (cold.empty() ? std::nullopt : std::optional(cold.front()))
                          : t.coldest();
  if (!victim) return false;
  const bytes leaves = t.key_of(*victim);
  return out_of_table(leaves);
}

// --- out of the table ------------------------------------------------------------------------------------------

/// Calls the record back. True: it is not in the table (any more), and the store has its newest content.
bool database::out_of_table(const bytes& key) {
  if (!hot_records_) return true;
  auto& t = *hot_records_->table;
  const auto slot = t.find(key);
  if (!slot) return true;
  if (t.is_shown(*slot)) {
    t.drop(*slot);
    return true;
  }
  const auto look = t.recall(*slot);
  if (look.state == slot_state::broken) {
    drop_broken(*slot);
    return true;
  }
  if (look.state == slot_state::held) {
    look_at_recalls_later();
    return false;
  }
  return keep_and_take(*slot, table_holder::none);
}

/// First into the store, then out of the table: nobody can change it meanwhile.
bool database::keep_and_take(std::uint32_t slot, table_holder by) {
  auto& h = *hot_records_;
  const auto content = h.table->peek(slot);
  if (!content) {
    drop_broken(slot);
    return true;
  }
  if (content->changed && !keep(*content))
    return false;  // it stays where it is, and is tried again
  const auto stay = h.stays.find(slot);
  if (stay != h.stays.end() && goes_from_hand_to_hand(content->key)) {
    h.stays.erase(stay);  // one stay, in which each has it once to begin with
  } else if (stay != h.stays.end()) {
    if (h.history.size() >= history_max) h.history.clear();
    const auto last = h.history.find(content->key);
    h.history[content->key] =
        after_stay(last == h.history.end() ? std::nullopt : std::optional(last->second),
                   h.table->locks_of(slot) - stay->second.locks_before + 1,
                   time_given(stay->second.seen), h.table->look_for_reads(slot));
    h.stays.erase(stay);
  }
  // whoever let go of it may not have come to saying so
  if (by == table_holder::none) witness(&database_witness::released, content->key);
  if (!h.table->take(slot, by)) drop_broken(slot);
  return true;
}

/// The store's copy is brought to what the table has. Who stored it in the table has counted it there.
bool database::keep(const table_record& r) {
  auto& h = *hot_records_;
  if (env_.loop.now() < h.no_room_until) return false;
  auto header = own_header(r.key);
  if (const auto slot = h.table->find(r.key); slot && h.table->is_shown(*slot)) return true;
  if (number(header.rsn) > r.rsn)
    return true;  // a recovery has brought a newer one while there was no room for this
  header.rsn = rsn{r.rsn};
  header.flags = r.flags;
  if (auto done = store_->put(r.key, header, r.data); !done) {
    storage_failed("store what was in the record table", done.error());
    h.no_room_until = env_.loop.now() + room_comes_after;
    env_.loop.after(room_comes_after, [to = self()] { to.tell(db_table_rung{}); });
    return false;
  }
  store_->changes().written(r.key);  // of what was written there only the last is seen
  storage_works();
  changes_.count();
  note_stored(r.key, header, r.data.empty());
  plan_flush();
  return true;
}

/// Somebody has written nonsense into the shared memory. What the store has counts again.
void database::drop_broken(std::uint32_t slot) {
  auto& h = *hot_records_;
  const bytes key = h.table->key_of(slot);
  const auto holder = h.table->holder_seen(slot);
  env_.log.tell(event::table_slot_dropped{
      .db = config_.name, .key = to_hex(key), .slot = slot, .holder = client_of(holder)});
  h.table->drop(slot);
  h.stays.erase(slot);
  if (const auto* u = h.user_of(holder))
    u->client.session.tell(
        session_kick{fmt::format("it has spoilt the record table of {}", config_.name)});
}

/// Those that only look are served from the table, if nobody holds the record: it need not leave for them.
void database::answer_readers(const bytes& key, lock_table::entry& e, std::uint32_t slot) {
  auto& t = *hot_records_->table;
  const auto reads = [](const lock_waiter& w) {
    return w.use == record_use::read || w.use == record_use::look;
  };
  if (t.closed() || std::ranges::none_of(e.waiters, reads) ||
      t.look(slot).state != slot_state::free)
    return;
  if (t.collect(slot, [&](const table_record& r) { return keep(r); }) !=
      record_table::collected::kept)
    return;
  for (const auto& w : e.waiters)
    if (reads(w)) answer_read(key, w);
  std::erase_if(e.waiters, reads);
}

/// Whether it has waited for the record to come, and gets it from us: told that it is in the table it may come too late, and
/// would have to wait for it to come again.
bool database::is_first(const lock_waiter& w, const lock_table::entry& e) const {
  return is_served_first(as_queued(w, e), e.came, env_.loop.now());
}

bool database::goes_from_hand_to_hand(const bytes& key) {
  const auto* e = locks_.find(key);
  return e && std::ranges::any_of(e->waiters, [&](const auto& w) { return is_first(w, *e); });
}

/// Whether the queue of the key has to wait because the record is in the table. Requests that can use the table are sent
/// there; for all others it is called back, at once or when it has stayed long enough.
bool database::waits_for_table(const bytes& key, lock_table::entry& e) {
  if (!hot_records_) return false;
  auto& h = *hot_records_;
  const auto slot = h.table->find(key);
  if (!slot || is_only_shown(key, e, *slot)) return false;
  if (!h.table->recalled(*slot) && !h.table->closed())
    for (auto i = e.waiters.begin(); i != e.waiters.end();) {
      if (i->use != record_use::lock || i->table_thread == 0 || is_first(*i, e) ||
          !h.users.contains(i->client.id)) {
        ++i;
        continue;
      }
      if (i->id) key_of_waiter_.erase(i->id);
      env_.loop.cancel(i->deadline);
      answer_for_table();
      i->answer.status(record_status_in_table, "the record is in the table");
      i = e.waiters.erase(i);
    }
  answer_readers(key, e, *slot);
  if (e.waiters.empty()) return true;
  table_queue q;
  for (const auto& w : e.waiters) (w.use == record_use::peer_call ? q.peers : q.locals) = true;
  auto& stay = h.stays[*slot];
  const auto now = env_.loop.now();
  stay.seen = seen_again(stay.seen, h.table->locks_of(*slot) - stay.locks_before, now,
                         h.table->look_for_reads(*slot));
  const auto when = recall_at(q, now, stay.seen);
  if (!when || (q.peers && mutated(mutant::hot_record_not_called_back))) return true;
  if (*when <= now || h.table->recalled(*slot)) return !out_of_table(key);
  if (!stay.timer) {
    stay.timer = true;
    env_.loop.after(*when - now, [to = self(), key] { to.tell(db_table_recall{key}); });
  }
  return true;
}

void database::on(db_table_recall& m) {
  if (!hot_records_) return;
  if (const auto slot = hot_records_->table->find(m.key)) hot_records_->stays[*slot].timer = false;
  advance(m.key);
}

/// A record that a client has in the table becomes one that it locks by number: it wants to store more than fits.
void database::table_take_over(const db_control& m, const bytes& key, std::uint32_t thread) {
  if (own_freeze_ == own_freeze::voided)
    return m.answer.status(record_status_not_held, "others have gone on without this node");
  if (hot_records_)
    if (const auto user = hot_records_->users.find(m.client->id);
        user != hot_records_->users.end()) {
      const auto slot = hot_records_->table->find(key);
      const auto holder = holder_of(user->second.number, thread);
      const bool held = slot && hot_records_->table->look(*slot).holder == holder;
      if (held && !keep_and_take(*slot, holder))
        return m.answer.status(record_status_storage, "cannot store: see the node's log");
      if (held) {
        auto& e = locks_.at(key);
        const auto lock_id = static_cast<std::uint64_t>(number(config_.id)) << 32 | ++last_lock_;
        ++env_.count.locks_held;
        locks_.grant(key, e,
                     {.lock_id = lock_id,
                      .client = *m.client,
                      .since = env_.loop.now(),
                      .share = usage_share::lock(m.client->usage, key.size())});
        locks_.concerns(m.client->id, key);
        const record r = local(key);
        return m.answer.good(wire::encode(
            record_lock_reply{.header = r.header, .data = r.data, .lock_id = lock_id}));
      }
    }
  m.answer.status(record_status_not_held, "this thread does not hold the record in the table");
}

// --- as time goes by -------------------------------------------------------------------------------------------

/// Clients may go on in the table for a while; not on a node that is cut off, or has a new map: they ask it, and it waits.
void database::answer_for_table() {
  if (own_freeze_ != own_freeze::none || !map_applies(gen_, view_->gen))
    return hot_records_->table->answer_for_until(0);
  hot_records_->table->answer_for_until(in_us(env_.loop.now() + answered_for));
}

/// Clients have let go of records, have died, or it is time to look whether they have.
void database::on(db_table_rung& m) {
  if (m.planned) looks_planned_ = false;
  if (!hot_records_ || !store_) return;
  auto& h = *hot_records_;
  std::vector<bytes> keys;
  for (const auto slot : h.table->recalls()) keys.push_back(h.table->key_of(slot));
  for (const bytes& key : keys)
    if (out_of_table(key)) advance(key);
  if (freeze_.state != freeze_state::freezing) return;
  if (!anybody_holds())
    transition(freeze_event::last_holder_gone{}, {});
  else if (h.table->any_holder())
    look_at_recalls_later();
}

void database::look_at_recalls_later() {
  if (looks_planned_) return;
  looks_planned_ = true;
  env_.loop.after(look_every, [to = self()] { to.tell(db_table_rung{.planned = true}); });
}

void database::table_tick_later() {
  if (hot_records_->ticking) return;
  hot_records_->ticking = true;
  env_.loop.after(collect_every, [to = self()] { to.tell(db_table_tick{}); });
}

void database::on(db_table_tick&) {
  if (!hot_records_ || !store_) return;
  auto& h = *hot_records_;
  h.ticking = false;
  answer_for_table();
  collect_table();
  look_who_waits();
  std::erase_if(h.running_on, [&](const auto& one) {
    if (!is_gone(one.second, env_.loop.is_simulated())) return false;
    h.table->forgive(one.first);
    return true;
  });
  if (++h.ticks % ticks_to_cool == 0) {
    h.table->cool();
    for (const auto slot : h.table->filled())
      if (h.table->used_lately(slot) == 0 && h.table->look(slot).state == slot_state::free) {
        const bytes key = h.table->key_of(slot);
        if (out_of_table(key)) advance(key);
      }
  }
  if (h.table->records() > 0 || !h.running_on.empty()) table_tick_later();
}

/// What was stored in the table goes into the store; the records stay where they are.
void database::collect_table() {
  if (!hot_records_ || store_use_ != store_use::here) return;
  for (const auto slot :
       hot_records_->table->collect([&](const table_record& r) { return keep(r); }))
    drop_broken(slot);
}

}  // namespace floe
