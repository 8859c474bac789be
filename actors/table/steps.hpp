#pragma once
/// What a client does with the table, as machines of small steps: look a record up, lock, store, unlock, read. A step is
/// at most one access that others can see; between two steps anything may happen (another client, the node, death).
/// Machines never block and never call the system: they say what they need next, and the caller is either a thread that
/// waits on futexes (table_user.hpp) or a simulation in which every step is an event of its own.
///
///   table_lock l(memory, me, key, lock_wait::wait);
///   while ((need = l.advance(now_us)) != step_need::done) ...
///
/// Threads of programs, of which nobody wants to see the single steps, call `run`: the same steps up to the next that needs
/// something, which costs half as much.
///
/// `now_us` is monotonic and may be coarse until a machine has asked for the `clock`. After `done`, the caller sends
/// what `wakes` lists. Races and their outcomes: README.md. No errors beyond the outcomes; nothing is allocated but the
/// content that was read.
#include <optional>

#include "actors/table/memory.hpp"

namespace floe {

/// Where a record is; as long as the slot is in this life.
struct table_place {
  std::uint32_t slot = 0;
  std::uint32_t life = 0;
  std::uint32_t capacity = 0;            ///< bytes of data that can be stored here
  std::array<table_word*, 2> buffers{};  ///< length, then data
};
std::optional<table_place> find(const table_memory&, byte_view key, std::uint64_t hash);
bool find(const table_memory&, byte_view key, std::uint64_t hash, table_place&);

enum class step_need : std::uint8_t {
  step,   ///< call again
  pause,  ///< call again; the processor may breathe
  clock,  ///< call again with the exact time
  sleep,  ///< call again when woken, or at `sleep().until_us`
  done,
};

/// On whom to wait: the wake word of the slot, as long as it has this value.
struct table_sleep {
  std::atomic<std::uint32_t>* word = nullptr;
  std::uint32_t value = 0;
  std::uint32_t bits = 0;  ///< of the futex: who is woken by what
  std::uint64_t until_us = 0;
};

/// What the end of a hold asks for. The wake word has been counted up already.
struct table_wakes {
  std::atomic<std::uint32_t>* word = nullptr;
  std::uint32_t all_of = 0;  ///< futex bits of which all are woken
  bool one = false;          ///< one of those that wait for any chance
  bool node = false;         ///< the node waits for this slot, or has closed the table
};
namespace sleep_bits {
constexpr std::uint32_t any_chance = 1U << 31;
constexpr std::uint32_t reader = 1U << 30;
std::uint32_t heir(table_holder);
}  // namespace sleep_bits

enum class lock_wait : std::uint8_t { wait, try_once };
enum class lock_outcome : std::uint8_t {
  held,
  not_here,  ///< not in the table, or called back: ask the node
  busy,      ///< try_once only: somebody holds it, or is next
  given_up,  ///< give_up() was called
  mine,      ///< this thread holds it already
};

class table_lock {
 public:
  /// The key must outlive the machine.
  table_lock(const table_memory&, table_holder me, byte_view key, lock_wait);
  step_need advance(std::uint64_t now_us);
  step_need run(std::uint64_t now_us);
  /// The caller's patience has ended: no longer waits. To be followed by advance() until done; the lock may still be
  /// held then, if it came first.
  void give_up() { gives_up_ = true; }
  lock_outcome outcome() const { return outcome_; }
  const table_place& place() const { return place_; }
  const table_sleep& sleep() const { return sleep_; }
  const table_wakes& wakes() const { return wakes_; }

 private:
  enum class phase : std::uint8_t {
    look,
    take,
    leave_queue,
    confirm,
    undo,
    announce,
    enqueue,
    reserve,
    finished
  };
  /// How patient the wait is by now.
  enum class waiting : std::uint8_t { spins, slept, naps, queued };
  step_need look();
  step_need take(std::uint64_t now_us);
  step_need lost(lock_word, std::uint64_t now_us);
  step_need announce(std::uint64_t now_us);
  step_need enqueue(std::uint64_t now_us);
  step_need reserve();
  step_need leave_queue();
  void wake_heir();
  step_need confirm(std::uint64_t now_us);
  step_need sleep_for(std::uint64_t now_us, std::uint64_t us, std::uint32_t bits);
  bool may_take_reserved(std::uint64_t now_us) const;
  step_need finish(lock_outcome);
  table_slot& slot() const { return memory_.slot(place_.slot); }

  const table_memory& memory_;
  table_holder me_;
  byte_view key_;
  lock_wait wait_;
  phase phase_ = phase::look;
  waiting waiting_ = waiting::spins;
  lock_outcome outcome_ = lock_outcome::not_here;
  bool gives_up_ = false;
  bool has_clock_ = false;
  unsigned looks_ = 0;           ///< at a lock that was taken, since the last sleep
  unsigned breaths_ = 0;         ///< before the next look
  int position_ = -1;            ///< in the slot's queue
  std::uint32_t seen_wake_ = 0;  ///< before the last look at the lock word
  std::uint64_t waits_since_us_ = 0;
  std::uint64_t reserved_free_since_us_ = 0;  ///< free, but the heir does not come
  std::uint64_t locks_at_first_look_ = 0, last_locks_ = 0;
  std::uint64_t slice_us_ = 0;
  table_place place_;
  table_sleep sleep_;
  table_wakes wakes_;
};

class table_unlock {
 public:
  table_unlock(const table_memory& m, table_holder me, const table_place& p)
      : memory_(m), me_(me), place_(p) {}
  step_need advance();
  void run();
  /// False: the lock was not ours any more (the node has taken it back from a client that it took for lost).
  bool was_held() const { return was_held_; }
  const table_wakes& wakes() const { return wakes_; }

 private:
  enum class phase : std::uint8_t { release, look_closed, finished };
  step_need release();
  step_need look_closed();
  const table_memory& memory_;
  table_holder me_;
  table_place place_;
  phase phase_ = phase::release;
  bool was_held_ = false;
  table_wakes wakes_;
};

enum class store_outcome : std::uint8_t {
  stored,
  to_node,  ///< not stored: hand the lock over to the node, and store there: too large for the slot, or the node has fallen silent
  not_held,
};

/// A store, or with empty data a deletion (an empty record means "deleted" to the whole cluster).
class table_store {
 public:
  /// The data must outlive the machine.
  table_store(const table_memory& m, table_holder me, const table_place& p, byte_view data)
      : memory_(m), me_(me), place_(p), data_(data) {}
  /// `now_us` is looked at where asks_time(): before the first step and before the last, since a client may stand still between.
  step_need advance(std::uint64_t now_us);
  bool asks_time() const { return phase_ == phase::check || phase_ == phase::count; }
  /// Up to where it asks the time again, or done.
  step_need run(std::uint64_t now_us);
  store_outcome outcome() const { return outcome_; }

 private:
  enum class phase : std::uint8_t { check, first_half, second_half, publish, count, finished };
  table_word* buffer() const;
  bool check(std::uint64_t now_us);
  void write(std::size_t from, std::size_t to);
  void publish();
  step_need count(std::uint64_t now_us);
  void take_back();
  const table_memory& memory_;
  table_holder me_;
  table_place place_;
  byte_view data_;
  std::uint64_t current_ = 0;
  phase phase_ = phase::check;
  store_outcome outcome_ = store_outcome::not_held;
};

struct table_content {
  std::uint64_t rsn = 0;
  std::uint32_t flags = 0;
  std::uint32_t length = 0;  ///< of the data; 0: deleted
};
enum class read_wait : std::uint8_t {
  none,        ///< what was last stored, also by somebody who still holds the lock
  for_holder,  ///< after whoever holds it now: what readers of TDB get
};
enum class read_outcome : std::uint8_t { read, not_here, given_up };

class table_read {
 public:
  /// This thread's own lock is not waited for. The key must outlive the machine.
  table_read(const table_memory&, table_holder me, byte_view key, read_wait);
  step_need advance(std::uint64_t now_us, bytes& into);
  step_need run(std::uint64_t now_us, bytes& into);
  void give_up() { gives_up_ = true; }
  read_outcome outcome() const { return outcome_; }
  const table_content& content() const { return content_; }
  const table_sleep& sleep() const { return sleep_; }

 private:
  enum class phase : std::uint8_t { look, wait, begin, copy, verify, finished };
  step_need finish(read_outcome);
  step_need look();
  step_need wait(std::uint64_t now_us);
  step_need begin();
  step_need copy(bytes& into);
  step_need verify(std::uint64_t now_us);
  const table_memory& memory_;
  table_holder me_;
  byte_view key_;
  read_wait wait_;
  phase phase_ = phase::look;
  read_outcome outcome_ = read_outcome::not_here;
  bool gives_up_ = false, has_clock_ = false;
  unsigned tries_ = 0, spins_ = 0;
  table_holder awaited_ = table_holder::none;
  std::uint64_t awaited_locks_ = 0;
  std::uint64_t current_ = 0;
  table_place place_;
  table_content content_;
  table_sleep sleep_;
};

/// The holder's own view of what it has locked; no step, since nobody else can change it.
table_content read_held(const table_memory&, const table_place&, bytes& into);

/// One try to let go: what the unlock and the undoing of a lock have in common. Nothing: somebody else has changed the
/// word meanwhile, try again.
std::optional<bool> try_release(table_slot&, std::uint32_t life, table_holder me, table_wakes&);
/// Who is served next by a reserved lock.
table_holder heir_of(const table_slot&);

}  // namespace floe
