/// Store and read. A store goes into the buffer that is not current and is published by one write of *current*; a
/// reader copies what is current and looks whether it still is.
#include "actors/table/steps.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/migration.hpp"

namespace floe {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;
constexpr auto in_one_order = std::memory_order_seq_cst;

/// A reader that is disturbed so often asks the node.
constexpr unsigned tries_max = 1000;
constexpr unsigned spins_for_holder = 60;
constexpr std::uint64_t reader_sleep_us = 10'000;

std::uint32_t flags_after(std::uint32_t at_first, std::uint64_t stores) {
  return stores == 0 ? at_first : written_flags(at_first);
}

}  // namespace

// --- store -----------------------------------------------------------------------------------------------------

table_word* table_store::buffer() const { return place_.buffers[(current_ & 1) ^ 1]; }

/// Others may have gone on meanwhile: the node knows. What it then refuses must not be found here as stored, so what was
/// there is stored again: its buffer has not been touched. The number goes on, for the node may have looked already.
void table_store::take_back() {
  memory_.slot(place_.slot)
      .current.store(((current_ >> 1) + 2) << 1 | (current_ & 1), in_one_order);
  outcome_ = store_outcome::to_node;
}

step_need table_store::advance(std::uint64_t now_us) {
  // where a simulation can die or read in the middle of a store
  const std::size_t half = data_.size() / 16 * 8;
  switch (phase_) {
    case phase::check:
      if (!check(now_us)) return step_need::done;
      phase_ = mutated(mutant::index_before_data) ? phase::publish : phase::first_half;
      return step_need::step;
    case phase::first_half:
      write(0, half);
      phase_ = phase::second_half;
      return step_need::step;
    case phase::second_half:
      write(half, data_.size());
      phase_ = mutated(mutant::index_before_data) ? phase::count : phase::publish;
      return step_need::step;
    case phase::publish:
      publish();
      phase_ = mutated(mutant::index_before_data) ? phase::first_half : phase::count;
      return step_need::step;
    case phase::count: return count(now_us);
    case phase::finished: return step_need::done;
  }
  return step_need::done;
}

step_need table_store::run(std::uint64_t now_us) {
  if (phase_ == phase::count) return count(now_us);
  if (phase_ != phase::check || !check(now_us)) return step_need::done;
  write(0, data_.size());
  publish();
  phase_ = phase::count;
  return step_need::step;
}

bool table_store::check(std::uint64_t now_us) {
  const auto& s = memory_.slot(place_.slot);
  const lock_word w{s.lock.load(relaxed)};
  const bool held = w.life() == place_.life && w.holder() == me_;
  const bool to_node = data_.size() > place_.capacity || silent(memory_.head(), now_us);
  outcome_ = !held     ? store_outcome::not_held
             : to_node ? store_outcome::to_node
                       : store_outcome::stored;
  if (outcome_ != store_outcome::stored) {
    phase_ = phase::finished;
    return false;
  }
  current_ = s.current.load(relaxed);
  return true;
}

/// From and to: multiples of 8, or the end.
void table_store::write(std::size_t from, std::size_t to) {
  auto* b = buffer();
  if (from == 0) b->store(data_.size(), release);
  copy_in(b + 1 + from / 8, data_.substr(from, to - from));
}

void table_store::publish() {
  // one more store, and the other buffer
  memory_.slot(place_.slot)
      .current.store(((current_ >> 1) + 1) << 1 | ((current_ & 1) ^ 1), in_one_order);
}

step_need table_store::count(std::uint64_t now_us) {
  const auto& s = memory_.slot(place_.slot);
  // after the index: a cache that has seen the new number must not have read the old content
  memory_.count_store(client_of(me_));
  // The node that takes a lock back clears the lock word, then copies what is current; we publish, then look at the lock
  // word. Either it has copied our store, or we see that it has not.
  if (const lock_word w{s.lock.load(in_one_order)}; w.life() != place_.life || w.holder() != me_)
    outcome_ = store_outcome::not_held;
  else if (silent(memory_.head(), now_us) && !mutated(mutant::silence_looked_for_once))
    take_back();
  phase_ = phase::finished;
  return step_need::done;
}

// --- read ------------------------------------------------------------------------------------------------------

table_read::table_read(const table_memory& m, table_holder me, byte_view key, read_wait wait)
    : memory_(m), me_(me), key_(key), wait_(wait) {}

step_need table_read::finish(read_outcome o) {
  outcome_ = o;
  phase_ = phase::finished;
  return step_need::done;
}

step_need table_read::advance(std::uint64_t now_us, bytes& into) {
  switch (phase_) {
    case phase::look: return look();
    case phase::wait: return wait(now_us);
    case phase::begin: return begin();
    case phase::copy: return copy(into);
    case phase::verify: return verify(now_us);
    case phase::finished: return step_need::done;
  }
  return step_need::done;
}

step_need table_read::run(std::uint64_t now_us, bytes& into) {
  auto need = step_need::step;
  if (phase_ == phase::look) need = look();
  if (phase_ == phase::wait) need = wait(now_us);
  if (phase_ == phase::begin) {
    begin();
    copy(into);
    need = verify(now_us);
  }
  while (need == step_need::step) need = advance(now_us, into);
  return need;
}

step_need table_read::look() {
  if (!find(memory_, key_, table_hash(key_), place_)) return finish(read_outcome::not_here);
  phase_ = wait_ == read_wait::for_holder ? phase::wait : phase::begin;
  return step_need::step;
}

step_need table_read::begin() {
  const auto& s = memory_.slot(place_.slot);
  current_ = s.current.load(acquire);
  content_.rsn = s.base_rsn.load(relaxed) + (current_ >> 1);
  content_.flags = flags_after(s.flags.load(relaxed), current_ >> 1);
  phase_ = phase::copy;
  return step_need::step;
}

step_need table_read::copy(bytes& into) {
  const auto* b = place_.buffers[current_ & 1];
  const auto length = b->load(acquire);
  if (length <=
      place_.capacity) {  // else somebody is writing it, or writes nonsense: verify() knows
    content_.length = static_cast<std::uint32_t>(length);
    into.resize(content_.length);
    copy_out(into.data(), b + 1, content_.length);
  } else {
    current_ = ~std::uint64_t{0};
  }
  phase_ = phase::verify;
  return step_need::step;
}

step_need table_read::verify(std::uint64_t now_us) {
  auto& s = memory_.slot(place_.slot);
  const bool same = s.current.load(acquire) == current_;
  if (lock_word{s.lock.load(acquire)}.life() != place_.life) {
    phase_ = phase::look;
  } else if (!same) {
    phase_ = phase::begin;
  } else {
    // the node knows when a frozen database may be read; and what a silent one has may be outdated
    const bool open = memory_.head().closed.load(acquire) == 0 && !silent(memory_.head(), now_us);
    if (!open) return finish(read_outcome::not_here);
    // looked at first: of many readers one writes, and the line stays everybody's
    if (s.read_lately.load(relaxed) == 0) s.read_lately.store(1, relaxed);
    return finish(read_outcome::read);
  }
  return ++tries_ < tries_max ? step_need::pause : finish(read_outcome::not_here);
}

step_need table_read::wait(std::uint64_t now_us) {
  auto& s = memory_.slot(place_.slot);
  const auto wake = s.wake.load(acquire);
  std::uint64_t seen = s.lock.load(acquire);
  const lock_word w{seen};
  const auto locks = s.locks.load(relaxed);
  if (awaited_ == table_holder::none) {
    awaited_ = w.holder();
    awaited_locks_ = locks;
  }
  if (w.life() != place_.life || w.free() || w.holder() == me_ || w.holder() != awaited_ ||
      locks > awaited_locks_ + 1) {
    phase_ = phase::begin;
    return step_need::step;
  }
  if (gives_up_) return finish(read_outcome::given_up);
  if (has_clock_ && silent(memory_.head(), now_us)) return finish(read_outcome::not_here);
  if (++spins_ < spins_for_holder) return step_need::pause;
  if (spins_ == spins_for_holder) {
    has_clock_ = true;
    return step_need::clock;
  }
  if (!s.lock.compare_exchange_strong(seen, seen | lock_word::reader, in_one_order, relaxed))
    return step_need::step;
  sleep_ = {&s.wake, wake, sleep_bits::reader, now_us + reader_sleep_us};
  return step_need::sleep;
}

table_content read_held(const table_memory& m, const table_place& p, bytes& into) {
  const auto& s = m.slot(p.slot);
  const auto current = s.current.load(acquire);
  const auto* b = p.buffers[current & 1];
  const auto length = b->load(relaxed);
  table_content c{.rsn = s.base_rsn.load(relaxed) + (current >> 1),
                  .flags = flags_after(s.flags.load(relaxed), current >> 1)};
  c.length = length <= p.capacity ? static_cast<std::uint32_t>(length) : 0;
  into.resize(c.length);
  copy_out(into.data(), b + 1, c.length);
  return c;
}

}  // namespace floe
