#include "actors/table/table_user.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "actors/table/record_table.hpp"

namespace floe {
namespace {

std::uint64_t read_clock(clockid_t which) {
  timespec t{};
  ::clock_gettime(which, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(t.tv_nsec) / 1000;
}

void breathe() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

std::uint64_t table_clock_us() { return read_clock(CLOCK_MONOTONIC); }
std::uint64_t table_coarse_us() { return read_clock(CLOCK_MONOTONIC_COARSE); }

table_user::table_user(std::shared_ptr<table_memory> memory, std::uint32_t client, int wake_fd)
    : memory_(std::move(memory)), client_(client), wake_fd_(wake_fd) {}

table_user::~table_user() {
  if (wake_fd_ >= 0) ::close(wake_fd_);
}

void table_user::wait(const table_sleep& s, std::uint64_t deadline_us) const {
  const auto until = std::min(s.until_us, deadline_us);
  const timespec t{static_cast<time_t>(until / 1'000'000),
                   static_cast<long>(until % 1'000'000 * 1000)};
  // absolute, on the monotonic clock; too early or interrupted is no harm
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(s.word), FUTEX_WAIT_BITSET, s.value, &t,
            nullptr, s.bits);
}

void table_user::wake(const table_wakes& w) const {
  if (w.all_of != 0) futex_wake(*w.word, w.all_of, INT_MAX);
  if (w.one) futex_wake(*w.word, sleep_bits::any_chance, 1);
  if (w.node && wake_fd_ >= 0) {
    const std::uint64_t once = 1;
    // full means that it is readable: nothing is lost
    [[maybe_unused]] const auto n = ::write(wake_fd_, &once, sizeof once);
  }
}

table_answer table_user::lock(byte_view key, std::uint32_t thread, table_patience patience,
                              table_place& held, std::uint64_t now) {
  if (!connected()) return table_answer::disconnected;
  table_lock l(*memory_, holder_of(client_, thread), key,
               patience.us == 0 ? lock_wait::try_once : lock_wait::wait);
  std::uint64_t deadline_us = 0;
  for (;;) {
    const auto need = l.run(now);
    if (need == step_need::done) break;
    if (need == step_need::pause) {
      breathe();
      continue;
    }
    if (need == step_need::sleep) wait(l.sleep(), deadline_us);
    now = table_clock_us();
    if (deadline_us == 0) deadline_us = now + patience.us;  // a machine sleeps only after the clock
    if (now >= deadline_us || !connected()) l.give_up();
  }
  wake(l.wakes());
  held = l.place();
  switch (l.outcome()) {
    case lock_outcome::held: return connected() ? table_answer::good : table_answer::disconnected;
    case lock_outcome::not_here: return table_answer::not_here;
    case lock_outcome::busy: return table_answer::busy;
    case lock_outcome::given_up:
      return connected() ? table_answer::timed_out : table_answer::disconnected;
    case lock_outcome::mine: return table_answer::held_already;
  }
  return table_answer::not_here;
}

table_answer table_user::read_locked(const table_place& p, table_content& c, bytes& data) {
  if (!connected()) return table_answer::disconnected;
  c = read_held(*memory_, p, data);
  return table_answer::good;
}

table_answer table_user::store(const table_place& p, std::uint32_t thread, byte_view data,
                               std::uint64_t now) {
  if (!connected()) return table_answer::disconnected;
  table_store s(*memory_, holder_of(client_, thread), p, data);
  while (s.run(now) != step_need::done) now = table_coarse_us();
  switch (s.outcome()) {
    case store_outcome::stored: return table_answer::good;
    case store_outcome::to_node: return table_answer::to_node;
    case store_outcome::not_held: return table_answer::not_held;
  }
  return table_answer::not_held;
}

table_answer table_user::unlock(const table_place& p, std::uint32_t thread) {
  if (!connected()) return table_answer::disconnected;
  table_unlock u(*memory_, holder_of(client_, thread), p);
  u.run();
  wake(u.wakes());
  return u.was_held() ? table_answer::good : table_answer::not_held;
}

table_answer table_user::read(byte_view key, std::uint32_t thread, read_wait how,
                              table_patience patience, table_content& c, bytes& data,
                              std::uint64_t now) {
  if (!connected()) return table_answer::disconnected;
  table_read r(*memory_, holder_of(client_, thread), key, how);
  std::uint64_t deadline_us = 0;
  for (;;) {
    const auto need = r.run(now, data);
    if (need == step_need::done) break;
    if (need == step_need::pause) {
      breathe();
      continue;
    }
    if (need == step_need::sleep) wait(r.sleep(), deadline_us);
    now = table_clock_us();
    if (deadline_us == 0) deadline_us = now + patience.us;
    if (now >= deadline_us) r.give_up();
  }
  c = r.content();
  switch (r.outcome()) {
    case read_outcome::read: return table_answer::good;
    case read_outcome::not_here: return table_answer::not_here;
    case read_outcome::given_up: return table_answer::timed_out;
  }
  return table_answer::not_here;
}

std::optional<std::uint64_t> table_user::valid_sequence_number() const {
  const auto n = sequence_number();
  // after the number: others take over what the node had only when it has been silent for a while
  if (!connected() || silent(memory_->head(), table_clock_us())) return std::nullopt;
  return n;
}

std::int32_t table_user::holder_process(byte_view key) const {
  const auto p = find(*memory_, key, table_hash(key));
  if (!p) return 0;
  const auto client =
      client_of(lock_word{memory_->slot(p->slot).lock.load(std::memory_order_acquire)}.holder());
  return client == 0 ? 0
                     : memory_->head().processes[client % table_client_places].load(
                           std::memory_order_relaxed);
}

}  // namespace floe
