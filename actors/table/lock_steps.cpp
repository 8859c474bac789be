/// Lock and unlock. The fast path is look, take, confirm, and release, look_closed; everything else is waiting.
#include <algorithm>

#include "actors/table/steps.hpp"
#include "protocol/mutant.hpp"

namespace floe {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;
constexpr auto in_one_order = std::memory_order_seq_cst;

/// Looks at the lock word before the first sleep, after one, and as the heir, who does not sleep as long as it may be let in
/// at any moment. Between two of them it breathes without a look, longer and longer: every look takes the word from the
/// processor of whoever works with it.
constexpr unsigned looks_first = 6, looks_later = 3, looks_of_heir = 24;
constexpr unsigned longest_breath = 16;
/// Who has waited for so long is served before those who come.
constexpr std::uint64_t patience_us = 1000;
/// Between the first disappointment and that moment; nobody is woken for it.
constexpr std::uint64_t nap_us = 250;
/// An heir that does not come for so long (stopped, or starved of processor) is overtaken.
constexpr std::uint64_t heir_comes_within_us = 2000;
/// No sleep is longer: a wake-up may have died with who owed it.
constexpr std::uint64_t longest_sleep_us = 20'000;

}  // namespace

std::uint32_t sleep_bits::heir(table_holder h) {
  return 1U << ((client_of(h) * 7 + thread_of(h)) % 30);
}

std::optional<table_place> find(const table_memory& m, byte_view key, std::uint64_t hash) {
  table_place p;
  if (!find(m, key, hash, p)) return std::nullopt;
  return p;
}

bool find(const table_memory& m, byte_view key, std::uint64_t hash, table_place& found) {
  const auto set = m.set_of(hash);
  for (std::uint32_t way = 0; way < table_ways; ++way) {
    const std::uint32_t i = set * static_cast<std::uint32_t>(table_ways) + way;
    if (m.tag(i).load(acquire) != hash) continue;
    const table_slot& s = m.slot(i);
    const lock_word w{s.lock.load(acquire)};
    if (!w.filled()) continue;
    const std::uint32_t chunk = s.chunk.load(relaxed), capacity = s.capacity.load(relaxed);
    const std::size_t key_words = words_for(key.size());
    if (s.key_length.load(relaxed) != key.size() || capacity % 8 != 0) continue;
    const std::size_t words = key_words + 2 * (1 + std::size_t{capacity} / 8);
    if (chunk >= m.size().area_words || words > m.size().area_words - chunk) continue;
    if (!equal(m.area(chunk), key)) continue;
    auto* first = m.area(chunk) + key_words;
    found = {i, w.life(), capacity, {first, first + 1 + capacity / 8}};
    return true;
  }
  return false;
}

table_holder heir_of(const table_slot& s) {
  const auto head = s.queue_head.load(relaxed);
  for (std::uint32_t i = 0; i < table_slot::queue_length; ++i)
    if (const auto h = s.queue[(head + i) % table_slot::queue_length].load(acquire); h != 0)
      return table_holder{static_cast<std::uint32_t>(h)};
  return table_holder::none;
}

std::optional<bool> try_release(table_slot& s, std::uint32_t life, table_holder me,
                                table_wakes& wakes) {
  std::uint64_t seen = s.lock.load(relaxed);
  const lock_word w{seen};
  if (w.life() != life || w.holder() != me) return false;
  std::uint64_t next = seen & ~lock_word::holder_bits;
  table_wakes owed{.word = &s.wake};
  const auto heir = w.has(lock_word::reserved) ? heir_of(s) : table_holder::none;
  if (heir != table_holder::none) {
    // it looks at the word right now, or has said that it sleeps
    if (w.has(lock_word::sleeper)) owed.all_of |= sleep_bits::heir(heir);
  } else {
    next &= ~lock_word::reserved;
    if (w.has(lock_word::sleeper)) owed.one = true;
    next &= ~lock_word::sleeper;
  }
  if (w.has(lock_word::reader)) owed.all_of |= sleep_bits::reader;
  next &= ~lock_word::reader;
  // The word as it was tells whether the node has called the record back: a recall that is set later finds it free.
  owed.node = w.has(lock_word::recall) && !mutated(mutant::recall_overtaken_by_unlock);
  if (!s.lock.compare_exchange_strong(seen, next, in_one_order, relaxed)) return std::nullopt;
  if (owed.one || owed.all_of != 0) s.wake.fetch_add(1, release);
  wakes = owed;
  return true;
}

// --- lock ------------------------------------------------------------------------------------------------------

table_lock::table_lock(const table_memory& m, table_holder me, byte_view key, lock_wait wait)
    : memory_(m), me_(me), key_(key), wait_(wait) {}

step_need table_lock::finish(lock_outcome o) {
  if (position_ >= 0) {  // not served, and wants no more: the place is free for another
    std::uint64_t mine = static_cast<std::uint32_t>(me_);
    slot().queue[static_cast<std::size_t>(position_)].compare_exchange_strong(mine, 0, release,
                                                                              relaxed);
    position_ = -1;
    wake_heir();
  }
  outcome_ = o;
  phase_ = phase::finished;
  return step_need::done;
}

step_need table_lock::advance(std::uint64_t now_us) {
  if (breaths_ > 0) {
    --breaths_;
    return step_need::pause;
  }
  switch (phase_) {
    case phase::look: return look();
    case phase::take: return take(now_us);
    case phase::leave_queue: return leave_queue();
    case phase::confirm: return confirm(now_us);
    case phase::undo: {
      const auto heirs = wakes_.all_of;
      const auto done = try_release(slot(), place_.life, me_, wakes_);
      if (!done) return step_need::step;
      wakes_.word = &slot().wake;
      wakes_.all_of |= heirs;
      wakes_.node = true;  // whoever closed the table may have counted this lock
      return finish(lock_outcome::not_here);
    }
    case phase::announce: return announce(now_us);
    case phase::enqueue: return enqueue(now_us);
    case phase::reserve: return reserve();
    case phase::finished: return step_need::done;
  }
  return step_need::done;
}

step_need table_lock::run(std::uint64_t now_us) {
  // nearly always these three, one after the other
  auto need = step_need::step;
  if (phase_ == phase::look) need = look();
  if (phase_ == phase::take && breaths_ == 0) need = take(now_us);
  if (phase_ == phase::confirm) need = confirm(now_us);
  while (need == step_need::step) need = advance(now_us);
  return need;
}

step_need table_lock::look() {
  if (!find(memory_, key_, table_hash(key_), place_)) return finish(lock_outcome::not_here);
  phase_ = phase::take;
  return step_need::step;
}

step_need table_lock::take(std::uint64_t now_us) {
  auto& s = slot();
  seen_wake_ = s.wake.load(acquire);  // before the look: a release after the look changes it
  std::uint64_t seen = s.lock.load(acquire);
  const lock_word w{seen};
  if (w.life() != place_.life || w.has(lock_word::recall)) return finish(lock_outcome::not_here);
  if (w.holder() == me_) return finish(lock_outcome::mine);
  if (gives_up_) return finish(lock_outcome::given_up);
  if (!w.free() || (w.has(lock_word::reserved) && !may_take_reserved(now_us)))
    return lost(w, now_us);
  if (!s.lock.compare_exchange_strong(seen, seen | static_cast<std::uint32_t>(me_), in_one_order,
                                      relaxed))
    return step_need::step;
  phase_ = w.has(lock_word::reserved) || position_ >= 0 ? phase::leave_queue : phase::confirm;
  return step_need::step;
}

bool table_lock::may_take_reserved(std::uint64_t now_us) const {
  const auto heir = heir_of(slot());
  return heir == table_holder::none || heir == me_ ||
         (reserved_free_since_us_ != 0 && now_us - reserved_free_since_us_ >= heir_comes_within_us);
}

step_need table_lock::lost(lock_word w, std::uint64_t now_us) {
  if (wait_ == lock_wait::try_once) return finish(lock_outcome::busy);
  const bool heir = waiting_ == waiting::queued && heir_of(slot()) == me_;
  if (heir && !w.has(lock_word::reserved)) {
    phase_ = phase::reserve;
    return step_need::step;
  }
  const auto locks = slot().locks.load(relaxed);
  if (looks_ == 0) locks_at_first_look_ = locks;
  const unsigned looks_max = waiting_ == waiting::spins    ? looks_first
                             : waiting_ != waiting::queued ? looks_later
                             : heir                        ? looks_of_heir
                                                           : 0;
  if (looks_ < looks_max) {
    breaths_ = std::min(1U << looks_++, longest_breath);
    return step_need::pause;
  }
  if (!has_clock_) {
    has_clock_ = true;
    return step_need::clock;
  }
  looks_ = 0;
  if (waits_since_us_ == 0) waits_since_us_ = now_us;
  // its holder cannot be cleared by a node that is gone: who asks it by the socket hears what has become of it
  if (silent(memory_.head(), now_us)) return finish(lock_outcome::not_here);
  if (!w.free())
    reserved_free_since_us_ = 0;
  else if (reserved_free_since_us_ == 0)
    reserved_free_since_us_ = now_us;
  // a holder that stays the same is waited for in longer and longer sleeps
  slice_us_ = locks == last_locks_ && !w.free() && slice_us_ != 0
                  ? std::min(slice_us_ * 2, longest_sleep_us)
                  : patience_us;
  last_locks_ = locks;
  if (heir) {
    phase_ = phase::announce;
    return step_need::step;
  }
  if (waiting_ == waiting::queued) return sleep_for(now_us, slice_us_, sleep_bits::heir(me_));
  if (now_us - waits_since_us_ >= patience_us) {
    phase_ = phase::enqueue;
    return step_need::step;
  }
  // a stream of short locks is not held up by waking us again and again: its next gap is as good as this one
  if (waiting_ == waiting::spins && locks == locks_at_first_look_) {
    phase_ = phase::announce;
    return step_need::step;
  }
  waiting_ = waiting::naps;
  return sleep_for(now_us, nap_us, sleep_bits::any_chance);
}

/// A sleep that whoever unlocks next is to end: the first of one that has just come, and all of the heir.
step_need table_lock::announce(std::uint64_t now_us) {
  auto& s = slot();
  phase_ = phase::take;
  std::uint64_t seen = s.lock.load(acquire);
  const lock_word w{seen};
  if (w.free() || w.life() != place_.life || w.has(lock_word::recall)) return step_need::step;
  if (!s.lock.compare_exchange_strong(seen, seen | lock_word::sleeper, in_one_order, relaxed)) {
    phase_ = phase::announce;
    return step_need::step;
  }
  if (waiting_ == waiting::queued) return sleep_for(now_us, slice_us_, sleep_bits::heir(me_));
  waiting_ = waiting::slept;
  return sleep_for(now_us, patience_us, sleep_bits::any_chance);
}

step_need table_lock::enqueue(std::uint64_t now_us) {
  auto& s = slot();
  const auto head = s.queue_head.load(relaxed);
  for (std::uint32_t i = 0; i < table_slot::queue_length; ++i) {
    const auto at = (head + i) % table_slot::queue_length;
    std::uint64_t empty = 0;
    if (!s.queue[at].compare_exchange_strong(empty, static_cast<std::uint32_t>(me_), in_one_order,
                                             relaxed))
      continue;
    position_ = static_cast<int>(at);
    waiting_ = waiting::queued;
    phase_ = phase::take;
    return step_need::step;
  }
  phase_ = phase::take;  // all places are taken: they are served first
  return sleep_for(now_us, nap_us, sleep_bits::any_chance);
}

step_need table_lock::reserve() {
  std::uint64_t seen = slot().lock.load(acquire);
  const lock_word w{seen};
  if (w.life() == place_.life && !w.has(lock_word::recall) &&
      !slot().lock.compare_exchange_strong(seen, seen | lock_word::reserved, in_one_order, relaxed))
    return step_need::step;
  phase_ = phase::take;
  return step_need::step;
}

/// The next heir makes the lock its own when it is awake, not before: until then it is anybody's.
step_need table_lock::leave_queue() {
  auto& s = slot();
  if (position_ >= 0) {
    const auto at = static_cast<std::uint32_t>(position_);
    std::uint64_t mine = static_cast<std::uint32_t>(me_);
    s.queue[at].compare_exchange_strong(mine, 0, in_one_order, relaxed);
    s.queue_head.store(static_cast<std::uint16_t>((at + 1) % table_slot::queue_length), relaxed);
    position_ = -1;
  }
  // should the next heir have reserved it already, it will see that it has to do so again
  s.lock.fetch_and(~lock_word::reserved, in_one_order);
  wake_heir();
  phase_ = phase::confirm;
  return step_need::step;
}

/// Its predecessor is out of the way.
void table_lock::wake_heir() {
  auto& s = slot();
  const auto heir = heir_of(s);
  if (heir == table_holder::none) return;
  s.wake.fetch_add(1, release);
  wakes_.word = &s.wake;
  wakes_.all_of |= sleep_bits::heir(heir);
}

/// The other half of the node's closing: it writes *closed* and then looks at the lock words, we have written the lock
/// word and then look at *closed*. At least one of us sees the other. The same for *admitted*.
step_need table_lock::confirm(std::uint64_t now_us) {
  if (!may_lock(memory_.head(), me_, now_us)) {
    phase_ = phase::undo;
    return step_need::step;
  }
  auto& s = slot();
  s.locked_at.store(now_us / 1000, relaxed);
  s.locks.store(s.locks.load(relaxed) + 1, relaxed);
  return finish(lock_outcome::held);
}

step_need table_lock::sleep_for(std::uint64_t now_us, std::uint64_t us, std::uint32_t bits) {
  sleep_ = {&slot().wake, seen_wake_, bits, now_us + us};
  phase_ = phase::take;
  return step_need::sleep;
}

// --- unlock ----------------------------------------------------------------------------------------------------

step_need table_unlock::advance() {
  switch (phase_) {
    case phase::release: return release();
    case phase::look_closed: return look_closed();
    case phase::finished: return step_need::done;
  }
  return step_need::done;
}

void table_unlock::run() {
  while (phase_ == phase::release) release();
  if (phase_ == phase::look_closed) look_closed();
}

step_need table_unlock::release() {
  const auto done = try_release(memory_.slot(place_.slot), place_.life, me_, wakes_);
  if (!done) return step_need::step;
  was_held_ = *done;
  phase_ = was_held_ ? phase::look_closed : phase::finished;
  return was_held_ ? step_need::step : step_need::done;
}

step_need table_unlock::look_closed() {
  if (memory_.head().closed.load(in_one_order) != 0) wakes_.node = true;
  phase_ = phase::finished;
  return step_need::done;
}

}  // namespace floe
