#pragma once
/// The inside of client_tables.hpp: tables that are mapped, locks that are held, and machines driven on a loop.
/// client_tables.cpp has and loses tables, client_tables_lock.cpp locks, client_tables_use.cpp stores, unlocks and reads.
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <deque>
#include <functional>
#include <utility>

#include "actors/client/client_tables.hpp"
#include "actors/table/record_table.hpp"
#include "actors/table/shared_in_process.hpp"
#include "actors/table/steps.hpp"
#include "protocol/record_status.hpp"
#include "protocol/rules/elapsed.hpp"

namespace floe {
/// Names of this folder's own: others call other things a lock, or a time in microseconds.
namespace tables_of_client {

/// Who waits looks again after so long, then twice as long, and so on.
inline constexpr duration first_look = std::chrono::microseconds(50),
                          longest_look = std::chrono::milliseconds(1);
/// In a simulation a step takes up to so long, and one in so many much longer: the process has lost its processor.
inline constexpr std::uint64_t step_us = 20, seldom = 200;
inline constexpr std::uint64_t long_step_us = 20'000;

inline std::uint64_t in_us(time_point t) {
  return static_cast<std::uint64_t>(floe::in_us(t.time_since_epoch()));
}

inline client_error not_held(std::string text) {
  return {client_errc::refused, record_status_not_held, std::move(text), pnn::current};
}

/// One table, mapped.
struct mapped_table {
  std::shared_ptr<table_memory> memory;
  std::shared_ptr<shared_in_process> simulated;
  int wake_fd = -1;
  std::uint32_t number = 0;         ///< of this client in it
  std::set<std::uint32_t> threads;  ///< that hold, or may be granted, a lock
  ~mapped_table() {
    if (wake_fd >= 0) ::close(wake_fd);
  }

  std::uint32_t take_thread() {
    std::uint32_t n = 1;
    for (const auto t : threads) {
      if (t != n) break;
      ++n;
    }
    if (n > table_threads_max) return 0;
    threads.insert(n);
    return n;
  }
  using act = shared_in_process::act;
  /// Tells whoever watches a simulation.
  void seen(act what, byte_view key, std::uint64_t rsn = 0, bool deleted = false) const {
    if (simulated && simulated->seen) simulated->seen(what, key, rsn, deleted);
  }
  void wake(const table_wakes& w) const {
    if (!simulated) {
      if (w.all_of != 0) futex_wake(*w.word, w.all_of, INT_MAX);
      if (w.one) futex_wake(*w.word, sleep_bits::any_chance, 1);
    }
    if (!w.node) return;
    if (simulated) return simulated->ring();
    const std::uint64_t once = 1;
    [[maybe_unused]] const auto n = ::write(wake_fd, &once, sizeof once);  // full: it is readable
  }
};
using table_ptr = std::shared_ptr<mapped_table>;

enum class having : std::uint8_t { unasked, asking, here, none };

struct known_database {
  having now = having::unasked;
  table_ptr table;
};

struct lock_in_table {
  db_id db{};
  bytes key;
  table_ptr table;
  std::uint32_t thread = 0;
  table_place place;
  std::uint64_t by_number = 0;  ///< the node has taken the lock over: its number there
};

}  // namespace tables_of_client
using namespace tables_of_client;

struct client_tables::state : std::enable_shared_from_this<state> {
  std::map<db_id, known_database> databases;
  std::map<std::uint64_t, lock_in_table> held;
  std::deque<descriptors_ptr> came;
  std::uint32_t last_lock = 0;
  /// Ends of what is under way, should the connection end.
  std::map<std::uint64_t, std::function<void(const client_error&)>> under_way;
  std::uint64_t last_operation = 0;

  void ask_for_table(client& c, db_id db);
  void map_table(known_database&, db_id, std::uint32_t number);
  template <class Machine>
  void drive(client& c, std::uint64_t operation, std::shared_ptr<Machine> m);
  template <class Machine>
  void one_turn(client& c, std::uint64_t operation, const std::shared_ptr<Machine>& m);
  std::uint64_t begin(std::function<void(const client_error&)> lost) {
    under_way[++last_operation] = std::move(lost);
    return last_operation;
  }
  template <class T>
  void finish(std::uint64_t operation, const when_done<T>& done, const result<T>& r) {
    if (under_way.erase(operation) > 0) done(r);
  }

  struct lock_run;
  void try_lock(client& c, const std::shared_ptr<lock_run>& r);
  void ask_node(client& c, const std::shared_ptr<lock_run>& r);
  void granted(client& c, const std::shared_ptr<lock_run>& r, const table_place& p);
  void take_over(client& c, std::uint64_t lock_id, duration patience, when_done<void> then);
};

/// A machine has: `step(now_us)`, and `ended()` after it is done.
template <class Machine>
void client_tables::state::drive(client& c, std::uint64_t operation, std::shared_ptr<Machine> m) {
  c.loop().post([weak = weak_from_this(), &c, operation, m = std::move(m)] {
    if (const auto s = weak.lock()) s->one_turn(c, operation, m);
  });
}

template <class Machine>
void client_tables::state::one_turn(client& c, std::uint64_t operation,
                                    const std::shared_ptr<Machine>& m) {
  auto& loop = c.loop();
  for (;;) {
    // whoever has lost its connection goes no step further: what it wrote counts for nothing
    if (!under_way.contains(operation)) return;
    const auto need = m->step(in_us(loop.now()));
    if (need == step_need::done) return m->ended();
    duration pause{0};
    if (need == step_need::sleep) {
      pause = std::min(std::max(first_look, m->pause * 2), longest_look);
      m->pause = pause;
    } else if (loop.is_simulated()) {
      const auto chance = loop.chance()();
      pause = std::chrono::microseconds(chance / seldom %
                                        (chance % seldom == 0 ? long_step_us : step_us));
    } else {
      continue;
    }
    loop.after(pause, [weak = weak_from_this(), &c, operation, m] {
      if (const auto s = weak.lock()) s->one_turn(c, operation, m);
    });
    return;
  }
}

}  // namespace floe
