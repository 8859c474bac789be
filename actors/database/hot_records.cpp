/// What goes into a database's record table and comes out.
#include "actors/database/hot_records.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/database/storage_trouble.hpp"
#include "actors/events.hpp"
#include "actors/hex.hpp"
#include "actors/node/pulse.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/record_status.hpp"
#include "protocol/rules/elapsed.hpp"
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
/// So long clients go on at most without a word from us; less if this node would freeze by itself before.
constexpr auto answered_for = std::chrono::seconds(1);
/// What a full disk has refused is tried again.
constexpr auto room_comes_after = std::chrono::milliseconds(500);

/// As the table has it.
std::uint64_t table_time(time_point t) {
  return static_cast<std::uint64_t>(in_us(t.time_since_epoch()));
}

constexpr std::size_t of_a_turn = 256;

/// The first ones at once, the rest in later turns, between which everything else of this node goes on: all records of a table
/// at once take milliseconds.
void in_turns(std::vector<bytes> keys, const address<database_message>& self,
              std::function<void(const bytes&)> step) {
  const auto now = std::min(of_a_turn, keys.size());
  for (std::size_t i = 0; i < now; ++i) step(keys[i]);
  if (now == keys.size()) return;
  keys.erase(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(now));
  self.tell(db_next_slice{[keys = std::move(keys), self, step = std::move(step)]() mutable {
    // `step` is of a database that lives: it has taken this message
    in_turns(std::move(keys), self, std::move(step));
  }});
}

}  // namespace

// --- into the table --------------------------------------------------------------------------------------------

/// Puts a record of ours in, with its lock granted, or free: what the store has. False: there is no room.
bool hot_records::put(const bytes& key, const record& r, table_holder holder, duration away) {
  auto& h = *open_;
  const auto try_it = [&] {
    return h.table->promote(key, number(r.header.rsn), r.header.flags, r.data, holder);
  };
  auto at = try_it();
  if (!at && make_room(key, at.error())) at = try_it();
  if (!at) return false;
  const auto last = h.history.find(key);
  const auto now = port_.env.loop.now();
  h.stays[at->slot] = {
      .seen = {.since = now,
               .allowed = stay_allowed(
                   last == h.history.end() ? std::nullopt : std::optional(last->second),
                   most_after(away, rules_.stay)),
               .pinned_until = stays_.until(key),
               .still_since = now},
      .locks_before = h.table->locks_of(at->slot)};
  answer();
  tick_later();
  return true;
}

bool hot_records::grant(const bytes& key, lock_waiter& w) {
  if (w.table_thread == 0 || !open_ || !rules_.on) return false;
  auto& h = *open_;
  const auto user = h.users.find(w.client.id);
  if (user == h.users.end() || h.table->closed()) return false;
  const record r = records_.local(key);
  const auto* e = locks_.find(key);
  const bool waited = e && e->came && w.since < *e->came;
  if (!put(key, r, holder_of(user->second.number, w.table_thread),
           waited ? *e->came - w.since : duration{0}))
    return false;
  port_.witness(&database_witness::granted, key, r.header);
  w.answer.good(wire::encode(record_lock_reply{.header = r.header, .data = r.data, .lock_id = 0}));
  return true;
}

/// A record of ours that clients read again and again is read in the table from now on, without asking us. Not at the
/// first read: most records are read once, and would drive out what is hot.
void hot_records::put_to_read(const bytes& key, const record& r) {
  auto& h = *open_;
  if (!h.was_read(table_hash(key))) return;
  (void)put(key, r, table_holder::none, duration{0});
}

/// Takes the coldest record out that stands in the way, if nobody holds it.
bool hot_records::make_room(const bytes& key, promote_refusal why) {
  auto& t = *open_->table;
  if (why == promote_refusal::closed || why == promote_refusal::too_large) return false;
  const auto cold = t.victims(key);
  const auto victim = why == promote_refusal::set_full
                          ? (cold.empty() ? std::nullopt : std::optional(cold.front()))
                          : t.coldest();
  if (!victim) return false;
  const bytes leaves = t.key_of(*victim);
  return take_out(leaves);
}

// --- out of the table ------------------------------------------------------------------------------------------

bool hot_records::take_out(const bytes& key) {
  if (!open_) return true;
  auto& t = *open_->table;
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
    look_later();
    return false;
  }
  return keep_and_take(*slot, table_holder::none);
}

/// Whether it has waited for the record to come, and gets it from the node: told that it is in the table it might come too
/// late, and would have to wait for it to come again.
bool hot_records::is_first(const lock_waiter& w, const lock_table::entry& e) const {
  return is_served_first({.use = w.use, .since = w.since}, e.came, port_.env.loop.now());
}

bool hot_records::goes_from_hand_to_hand(const bytes& key) const {
  const auto* e = locks_.find(key);
  return e && std::ranges::any_of(e->waiters, [&](const auto& w) { return is_first(w, *e); });
}

/// First into the store, then out of the table: nobody can change it meanwhile.
bool hot_records::keep_and_take(std::uint32_t slot, table_holder by) {
  auto& h = *open_;
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
    remember(content->key, slot, stay->second);
    h.stays.erase(stay);
  }
  // whoever let go of it may not have come to saying so
  if (by == table_holder::none) port_.witness(&database_witness::released, content->key);
  if (!h.table->take(slot, by)) drop_broken(slot);
  return true;
}

/// What the end of its stay shows of a record.
void hot_records::remember(const bytes& key, std::uint32_t slot, const table_stay& stay) {
  auto& h = *open_;
  const auto last = h.history.find(key);
  const auto after =
      after_stay(last == h.history.end() ? std::nullopt : std::optional(last->second),
                 h.table->locks_of(slot) - stay.locks_before + 1, time_given(stay.seen),
                 h.table->look_for_reads(slot));
  if (!tells_of_use(stay.seen, after)) return;
  if (h.history.size() >= history_max) h.history.clear();
  h.history[key] = after;
}

/// The store's copy is brought to what the table has. Who stored it in the table has counted it there.
bool hot_records::keep(const table_record& r) {
  auto& h = *open_;
  if (port_.env.loop.now() < h.no_room_until) return false;
  auto header = records_.own_header(r.key);
  if (const auto slot = h.table->find(r.key); slot && h.table->is_shown(*slot)) return true;
  if (number(header.rsn) > r.rsn)
    return true;  // a recovery has brought a newer one while there was no room for this
  header.rsn = rsn{r.rsn};
  header.flags = r.flags;
  if (auto done = port_.store->put(r.key, header, r.data); !done) {
    port_.trouble.failed("store what was in the record table", done.error());
    h.no_room_until = port_.env.loop.now() + room_comes_after;
    port_.env.loop.after(room_comes_after, [to = port_.self] { to.tell(db_table_rung{}); });
    return false;
  }
  port_.store->changes().written(r.key);  // of what was written there only the last is seen
  records_.took_from_table({r.key, header, r.data});
  return true;
}

/// Somebody has written nonsense into the shared memory. What the store has counts again.
void hot_records::drop_broken(std::uint32_t slot) {
  auto& h = *open_;
  const bytes key = h.table->key_of(slot);
  const auto holder = h.table->holder_seen(slot);
  port_.env.log.tell(event::table_slot_dropped{
      .db = port_.config.name, .key = to_hex(key), .slot = slot, .holder = client_of(holder)});
  h.table->drop(slot);
  h.stays.erase(slot);
  if (const auto* u = h.user_of(holder))
    u->client.session.tell(
        session_kick{fmt::format("it has spoilt the record table of {}", port_.config.name)});
}

/// Those that only look are served from the table, if nobody holds the record: it need not leave for them.
void hot_records::answer_readers(const bytes& key, lock_table::entry& e, std::uint32_t slot) {
  auto& t = *open_->table;
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
    if (reads(w)) records_.answer_read(key, w);
  std::erase_if(e.waiters, reads);
}

/// Requests of this queue that can use the table.
void hot_records::send_to_table(lock_table::entry& e) {
  for (auto i = e.waiters.begin(); i != e.waiters.end();) {
    if (i->use != record_use::lock || i->table_thread == 0 || is_first(*i, e) ||
        !open_->users.contains(i->client.id)) {
      ++i;
      continue;
    }
    locks_.forget_number(*i);
    port_.env.loop.cancel(i->deadline);
    answer();
    i->answer.status(record_status_in_table, "the record is in the table");
    i = e.waiters.erase(i);
  }
}

bool hot_records::keeps_waiting(const bytes& key, lock_table::entry& e) {
  if (!open_) return false;
  auto& h = *open_;
  const auto slot = h.table->find(key);
  if (!slot || is_only_shown(key, e, *slot)) return false;
  if (!h.table->recalled(*slot) && !h.table->closed()) send_to_table(e);
  answer_readers(key, e, *slot);
  if (e.waiters.empty()) return true;
  table_queue q;
  for (const auto& w : e.waiters) (w.use == record_use::peer_call ? q.peers : q.locals) = true;
  auto& stay = h.stays[*slot];
  const auto now = port_.env.loop.now();
  stay.seen =
      seen_again(stay.seen, h.table->locks_of(*slot) - stay.locks_before, now,
                 h.table->look_for_reads(*slot), h.table->look(*slot).state == slot_state::held);
  const auto when = recall_at(q, now, stay.seen);
  if (!when || (q.peers && mutated(mutant::hot_record_not_called_back))) return true;
  if (h.table->recalled(*slot)) return !take_out(key);
  if (*when <= now) {
    stay.seen = called_back(stay.seen, now);
    return !take_out(key);
  }
  if (!stay.timer) {
    stay.timer = true;
    port_.env.loop.after(*when - now, [to = port_.self, key] { to.tell(db_table_recall{key}); });
  }
  return true;
}

void hot_records::on(const db_table_recall& m) {
  if (!open_) return;
  if (const auto slot = open_->table->find(m.key)) open_->stays[*slot].timer = false;
  records_.advance(m.key);
}

hot_records::handed_over hot_records::hand_over(std::uint64_t client, const bytes& key,
                                                std::uint32_t thread) {
  if (!open_) return handed_over::not_held;
  const auto user = open_->users.find(client);
  if (user == open_->users.end()) return handed_over::not_held;
  const auto slot = open_->table->find(key);
  const auto holder = holder_of(user->second.number, thread);
  if (!slot || open_->table->look(*slot).holder != holder) return handed_over::not_held;
  return keep_and_take(*slot, holder) ? handed_over::done : handed_over::cannot_store;
}

// --- as time goes by -------------------------------------------------------------------------------------------

void hot_records::answer() {
  if (!open_) return;
  if (port_.own != own_freeze::none || !port_.is_of_map()) return open_->table->answer_for_until(0);
  const auto now = port_.env.loop.now();
  auto until = now + answered_for;
  if (!mutated(mutant::table_outlives_silence))
    until = std::min(until, port_.config.pulse->serves_until(now));
  open_->table->answer_for_until(table_time(until));
}

void hot_records::look_at_recalls(const db_table_rung& m) {
  if (m.planned) looks_planned_ = false;
  if (!open_ || !port_.store) return;
  std::vector<bytes> keys;
  for (const auto slot : open_->table->recalls()) keys.push_back(open_->table->key_of(slot));
  for (const bytes& key : keys)
    if (take_out(key)) records_.advance(key);
}

void hot_records::look_later() {
  if (looks_planned_) return;
  looks_planned_ = true;
  port_.env.loop.after(look_every, [to = port_.self] { to.tell(db_table_rung{.planned = true}); });
}

void hot_records::tick_later() {
  if (open_->ticking) return;
  open_->ticking = true;
  port_.env.loop.after(collect_every, [to = port_.self] { to.tell(db_table_tick{}); });
}

void hot_records::on(const db_table_tick&) {
  if (!open_ || !port_.store) return;
  auto& h = *open_;
  h.ticking = false;
  answer();
  std::vector<bytes> later;
  std::size_t kept = 0;
  if (port_.use == store_use::here)
    for (const auto slot : h.table->collect([&](const table_record& r) {
           if (kept++ < of_a_turn) return keep(r);
           later.emplace_back(r.key);
           return false;
         }))
      drop_broken(slot);
  in_turns(std::move(later), port_.self, [this](const bytes& key) {
    if (!open_ || !port_.store || port_.use != store_use::here) return;
    const auto slot = open_->table->find(key);
    if (slot && open_->table->collect(*slot, [&](const table_record& r) { return keep(r); }) ==
                    record_table::collected::broken)
      drop_broken(*slot);
  });
  look_who_waits();
  std::erase_if(h.running_on, [&](const auto& one) {
    if (!is_gone(one.second, port_.env.loop.is_simulated())) return false;
    h.table->forgive(one.first);
    return true;
  });
  if (++h.ticks % ticks_to_cool == 0) {
    h.table->cool();
    std::vector<bytes> cold;
    for (const auto slot : h.table->filled())
      if (h.table->used_lately(slot) == 0) cold.push_back(h.table->key_of(slot));
    in_turns(std::move(cold), port_.self, [this](const bytes& key) {
      const auto slot = open_ && port_.store ? open_->table->find(key) : std::nullopt;
      if (slot && open_->table->used_lately(*slot) == 0 &&
          open_->table->look(*slot).state == slot_state::free && take_out(key))
        records_.advance(key);
    });
  }
  if (h.table->records() > 0 || !h.running_on.empty()) tick_later();
}

void hot_records::collect() {
  if (!open_ || port_.use != store_use::here) return;
  for (const auto slot : open_->table->collect([&](const table_record& r) { return keep(r); }))
    drop_broken(slot);
}

}  // namespace floe
