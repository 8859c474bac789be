#include "actors/table/record_table.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <climits>
#include <utility>

#include "protocol/mutant.hpp"
#include "protocol/rules/migration.hpp"

namespace floe {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;
constexpr auto in_one_order = std::memory_order_seq_cst;

/// A record that is stored without a break is left for the next look after so many tries.
constexpr int copy_tries = 4;
/// More stores than this in one life, or fewer than were there already, are none.
constexpr std::uint64_t stores_max = 1ULL << 48;
/// Larger chunks stay outside: 64 KiB.
constexpr unsigned largest_order = 13;
/// Bytes of data that fit any slot: a record that is empty when it comes is written next, with what others of this table
/// have had lately, as far as that is not much.
constexpr std::size_t least_capacity = 208;
constexpr std::size_t most_for_empty = 1000;

}  // namespace

void futex_wake(std::atomic<std::uint32_t>& word, std::uint32_t bits, int how_many) {
  // shared between processes: not FUTEX_PRIVATE_FLAG
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE_BITSET, how_many,
            nullptr, nullptr, bits);
}

record_table::record_table(std::shared_ptr<table_memory> memory)
    : memory_(std::move(memory)),
      pool_(memory_->size().area_words),
      entries_(memory_->slots()),
      filled_((memory_->slots() + 63) / 64),
      place_taken_(table_client_places) {
  answer_for_until(~std::uint64_t{0});
}

void record_table::answer_for_until(std::uint64_t us) {
  // silence is in one order with what clients publish: either the node finds it, or the client finds the silence
  memory_->head().answered_for_until_us.store(us, us == 0 ? in_one_order : release);
}

// --- records ---------------------------------------------------------------------------------------------------

std::optional<std::uint32_t> record_table::find(byte_view key) const {
  const auto i = by_key_.find(key);
  if (i == by_key_.end()) return std::nullopt;
  return i->second;
}

std::expected<table_ticket, promote_refusal> record_table::promote(byte_view key, std::uint64_t rsn,
                                                                   std::uint32_t flags,
                                                                   byte_view data,
                                                                   table_holder holder) {
  return fill(key, rsn, flags, data, static_cast<std::uint32_t>(holder), false);
}

std::expected<table_ticket, promote_refusal> record_table::show(byte_view key, std::uint64_t rsn,
                                                                std::uint32_t flags,
                                                                byte_view data) {
  return fill(key, rsn, flags, data, lock_word::recall, true);
}

std::expected<table_ticket, promote_refusal> record_table::fill(byte_view key, std::uint64_t rsn,
                                                                std::uint32_t flags, byte_view data,
                                                                std::uint64_t lock_bits,
                                                                bool shown) {
  assert(!key.empty() && !by_key_.contains(key));
  if (closed_) return std::unexpected(promote_refusal::closed);
  const std::size_t key_words = words_for(key.size());
  // room to grow: half as much again as it is now, and not less than what most records are
  if (!data.empty())
    usual_size_ = std::clamp(data.size(), usual_size_ - usual_size_ / 16, most_for_empty);
  const std::size_t room = data.empty() && !shown ? usual_size_ : data.size() + data.size() / 2;
  const std::size_t wanted = key_words + 2 * (1 + words_for(std::max(least_capacity, room)));
  const unsigned order = chunk_pool::order_for(wanted);
  if (order > std::min(largest_order, pool_.highest_order()))
    return std::unexpected(promote_refusal::too_large);
  const auto hash = table_hash(key);
  const auto first = memory_->set_of(hash) * static_cast<std::uint32_t>(table_ways);
  auto slot = first;
  while (slot < first + table_ways &&
         (entries_[slot].filled() || entries_[slot].kept_back_for != 0))
    ++slot;
  if (slot == first + table_ways) return std::unexpected(promote_refusal::set_full);
  const auto chunk = pool_.take(order);
  if (!chunk) return std::unexpected(promote_refusal::area_full);

  entry& e = entries_[slot];
  const auto life = (e.life + 1) & lock_word::life_mask;
  table_slot& s = memory_->slot(slot);
  e = entry{.life = life,
            .key = bytes(key),
            .hash = hash,
            .base_rsn = rsn,
            .flags = flags,
            .chunk = *chunk,
            .order = order,
            .seen_locks = s.locks.load(relaxed),
            .recalled = shown,
            .shown = shown};
  e.capacity = static_cast<std::uint32_t>((((std::size_t{1} << order) - key_words) / 2 - 1) * 8);
  auto* words = memory_->area(*chunk);
  copy_in(words, key);
  words[key_words].store(data.size(), release);
  copy_in(words + key_words + 1, data);
  s.current.store(0, release);
  s.base_rsn.store(rsn, relaxed);
  s.chunk.store(*chunk, relaxed);
  s.capacity.store(e.capacity, relaxed);
  s.key_length.store(static_cast<std::uint32_t>(key.size()), relaxed);
  s.flags.store(flags, relaxed);
  s.queue_head.store(0, relaxed);
  s.read_lately.store(0, relaxed);
  for (auto& q : s.queue) q.store(0, relaxed);
  s.locked_at.store(0, relaxed);
  // from here on clients may find it: everything above is visible to whoever sees this life
  s.lock.store(lock_word::of(life, table_holder::none).value | lock_bits, in_one_order);
  memory_->tag(slot).store(hash, release);
  by_key_.emplace(e.key, slot);
  mark_filled(slot, true);
  return table_ticket{slot, life};
}

slot_look record_table::look(std::uint32_t slot) {
  const entry& e = entries_[slot];
  auto& word = memory_->slot(slot).lock;
  auto seen = word.load(in_one_order);
  for (;;) {
    const lock_word w{seen};
    if (w.life() != e.life) return {slot_state::broken};
    if (w.free()) return {slot_state::free};
    if (admitted(client_of(w.holder()))) return {slot_state::held, w.holder()};
    if (word.compare_exchange_weak(seen, seen & ~lock_word::holder_bits, in_one_order)) {
      wake_all(slot);
      return {slot_state::free};
    }
  }
}

slot_look record_table::recall(std::uint32_t slot) {
  entry& e = entries_[slot];
  assert(e.filled());
  if (!e.recalled) {
    e.recalled = true;
    recalls_.push_back(slot);
    ++recalled_ever_;
    // An unlock before this leaves a free word for our look below; one after it sees the bit and wakes us.
    wake_waiters(slot, memory_->slot(slot).lock.fetch_or(lock_word::recall, in_one_order));
  } else if (!lock_word{memory_->slot(slot).lock.load(in_one_order)}.has(lock_word::recall)) {
    memory_->slot(slot).lock.fetch_or(lock_word::recall,
                                      in_one_order);  // a client has written over it
  }
  return look(slot);
}

std::optional<table_record> record_table::take(std::uint32_t slot, table_holder by) {
  entry& e = entries_[slot];
  assert(e.filled());
  if (by == table_holder::none) assert(e.recalled);
  const auto now = look(slot);
  if (by != table_holder::none ? now.holder != by || now.state != slot_state::held
                               : now.state != slot_state::free)
    return std::nullopt;
  table_record r;
  std::uint64_t stores = 0;
  if (copy(e, slot, r, stores) != copied::good) return std::nullopt;
  r.changed = stores != e.seen_stores;
  empty(slot);
  return r;
}

std::optional<table_record> record_table::peek(std::uint32_t slot) const {
  const entry& e = entries_[slot];
  assert(e.filled());
  table_record r;
  std::uint64_t stores = 0;
  if (copy(e, slot, r, stores) != copied::good) return std::nullopt;
  r.changed = stores != e.seen_stores;
  return r;
}

table_holder record_table::holder_seen(std::uint32_t slot) const {
  return lock_word{memory_->slot(slot).lock.load(acquire)}.holder();
}

void record_table::drop(std::uint32_t slot) {
  assert(entries_[slot].filled());
  empty(slot);
}

void record_table::empty(std::uint32_t slot) {
  entry& e = entries_[slot];
  e.life = (e.life + 1) & lock_word::life_mask;
  memory_->tag(slot).store(0, release);
  const auto next = lock_word::of(e.life, table_holder::none).value;
  wake_waiters(slot, memory_->slot(slot).lock.exchange(next, in_one_order));
  mark_filled(slot, false);
  by_key_.erase(e.key);
  e.key.clear();
  e.recalled = e.shown = false;
  std::erase(recalls_, slot);
  if (e.kept_back_for != 0)
    kept_back_[e.kept_back_for].push_back(slot);
  else
    pool_.give_back(e.chunk, e.order);
}

void record_table::wake_all(std::uint32_t slot) {
  auto& wake = memory_->slot(slot).wake;
  wake.fetch_add(1, release);
  futex_wake(wake, ~0U, INT_MAX);
}

/// Who sleeps for long has set its bit in the lock word, or stands in the queue; who naps comes by itself.
void record_table::wake_waiters(std::uint32_t slot, std::uint64_t before) {
  const auto& s = memory_->slot(slot);
  const bool queued =
      std::ranges::any_of(s.queue, [](const table_word& q) { return q.load(acquire) != 0; });
  if (lock_word{before}.has(lock_word::anybody_waits) || queued) wake_all(slot);
}

/// The content as it is now. Whatever is read here may be changed by a client at the same time.
record_table::copied record_table::copy(const entry& e, std::uint32_t slot, table_record& r,
                                        std::uint64_t& stores) const {
  const table_slot& s = memory_->slot(slot);
  const auto* first = memory_->area(e.chunk) + words_for(e.key.size());
  for (int i = 0; i < copy_tries; ++i) {
    const auto current = s.current.load(in_one_order);
    stores = current >> 1;
    if (stores < e.seen_stores || stores > stores_max) return copied::broken;
    const auto* b = first + (current & 1) * (1 + e.capacity / 8);
    const auto length = b->load(acquire);
    const bool fits = length <= e.capacity;
    if (fits) {
      r.data.resize(length);
      copy_out(r.data.data(), b + 1, length);
    }
    if (s.current.load(acquire) != current) continue;
    if (!fits) return copied::broken;
    r.key = e.key;
    r.flags = stores == 0 ? e.flags : written_flags(e.flags);
    r.rsn = e.base_rsn + stores;
    return copied::good;
  }
  return copied::disturbed;
}

// --- how hot ---------------------------------------------------------------------------------------------------

std::uint64_t record_table::used_lately(std::uint32_t slot) const {
  const entry& e = entries_[slot];
  return e.heat + (memory_->slot(slot).locks.load(relaxed) - e.seen_locks) +
         (e.reads - e.seen_reads);
}

std::uint64_t record_table::look_for_reads(std::uint32_t slot) {
  entry& e = entries_[slot];
  if (memory_->slot(slot).read_lately.exchange(0, relaxed) != 0) ++e.reads;
  return e.reads;
}

void record_table::cool() {
  each_filled([&](std::uint32_t i) {
    entry& e = entries_[i];
    look_for_reads(i);
    e.heat = used_lately(i) / 2;
    e.seen_locks = memory_->slot(i).locks.load(relaxed);
    e.seen_reads = e.reads;
  });
}

std::vector<std::uint32_t> record_table::victims(byte_view key) const {
  const auto first = memory_->set_of(table_hash(key)) * static_cast<std::uint32_t>(table_ways);
  std::vector<std::uint32_t> all;
  for (auto i = first; i < first + table_ways; ++i)
    if (entries_[i].filled() && (!entries_[i].recalled || entries_[i].shown)) all.push_back(i);
  std::ranges::stable_sort(all, {}, [&](std::uint32_t i) { return used_lately(i); });
  return all;
}

std::optional<std::uint32_t> record_table::coldest() const {
  std::optional<std::uint32_t> best;
  each_filled([&](std::uint32_t i) {
    if ((!entries_[i].recalled || entries_[i].shown) &&
        (!best || used_lately(i) < used_lately(*best)))
      best = i;
  });
  return best;
}

std::uint64_t record_table::locks() const {
  std::uint64_t n = 0;
  for (std::uint32_t i = 0; i < entries_.size(); ++i) n += memory_->slot(i).locks.load(relaxed);
  return n;
}

// --- all of it -------------------------------------------------------------------------------------------------

bool record_table::close() {
  for (;;)
    if (const auto held = close_step()) return *held;
}

/// First the word, then the look. Who looks first believes in an empty table while a client writes its lock and finds
/// the table open still.
std::optional<bool> record_table::close_step() {
  if (mutated(mutant::closed_table_not_looked_at_again) && !looked_too_early_) {
    looked_too_early_ = any_holder();
    return std::nullopt;
  }
  if (!closed_) {
    closed_ = true;
    memory_->head().closed.store(1, in_one_order);
    each_filled([&](std::uint32_t i) {
      if (lock_word{memory_->slot(i).lock.load(in_one_order)}.has(lock_word::anybody_waits))
        wake_all(i);
    });
    if (!looked_too_early_) return std::nullopt;
  }
  return looked_too_early_ ? *std::exchange(looked_too_early_, std::nullopt) : any_holder();
}

void record_table::reopen() {
  closed_ = false;
  memory_->head().closed.store(0, in_one_order);
}

void record_table::for_each_holder(const std::function<void(const table_lock_info&)>& f) const {
  each_filled([&](std::uint32_t i) {
    const entry& e = entries_[i];
    const lock_word w{memory_->slot(i).lock.load(in_one_order)};
    if (w.life() == e.life && !w.free() && admitted(client_of(w.holder())))
      f({e.key, i, w.holder(), memory_->slot(i).locked_at.load(relaxed), e.recalled});
  });
}

void record_table::for_each_waiter(
    const std::function<void(std::uint32_t, table_holder)>& f) const {
  each_filled([&](std::uint32_t i) {
    for (const auto& q : memory_->slot(i).queue)
      if (const table_holder who{static_cast<std::uint32_t>(q.load(relaxed))};
          admitted(client_of(who)))
        f(i, who);
  });
}

bool record_table::any_holder() const {
  bool any = false;
  for_each_holder([&](const table_lock_info&) { any = true; });
  return any;
}

std::vector<std::uint32_t> record_table::filled() const {
  std::vector<std::uint32_t> all;
  each_filled([&](std::uint32_t i) { all.push_back(i); });
  return all;
}

std::vector<std::uint32_t> record_table::collect(const keep_record& keep) {
  std::vector<std::uint32_t> broken;
  each_filled([&](std::uint32_t i) {
    if (collect(i, keep) == collected::broken) broken.push_back(i);
  });
  return broken;
}

record_table::collected record_table::collect(std::uint32_t slot, const keep_record& keep) {
  entry& e = entries_[slot];
  assert(e.filled());
  if (look(slot).state == slot_state::broken) return collected::broken;
  if (memory_->slot(slot).current.load(acquire) >> 1 == e.seen_stores) return collected::kept;
  table_record r;
  std::uint64_t stores = 0;
  const auto c = copy(e, slot, r, stores);
  if (c == copied::broken) return collected::broken;
  r.changed = true;
  if (c != copied::good || !keep(r)) return collected::not_kept;
  e.seen_stores = stores;
  return collected::kept;
}

}  // namespace floe
