#include "actors/client/client_tables.hpp"

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <deque>
#include <functional>
#include <utility>

#include "actors/table/record_table.hpp"
#include "actors/table/shared_in_process.hpp"
#include "actors/table/steps.hpp"
#include "protocol/record_status.hpp"
#include "protocol/types/record_access.hpp"

namespace floe {
namespace {

constexpr duration answer_slack = std::chrono::seconds(5);
constexpr duration table_patience = std::chrono::seconds(10);
/// Who waits looks again after so long, then twice as long, and so on.
constexpr duration first_look = std::chrono::microseconds(50),
                   longest_look = std::chrono::milliseconds(1);
/// In a simulation a step takes up to so long, and one in so many much longer: the process has lost its processor.
constexpr std::uint64_t step_us = 20, seldom = 200;
constexpr std::uint64_t long_step_us = 20'000;

std::uint64_t in_us(time_point t) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(t.time_since_epoch()).count());
}

client_error not_held(std::string text) {
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

std::uint64_t rsn_at(const table_place& p, const mapped_table& t) {
  bytes data;
  return read_held(*t.memory, p, data).rsn;
}

enum class having : std::uint8_t { unasked, asking, here, none };

struct known_database {
  having now = having::unasked;
  table_ptr table;
};

struct held_lock {
  db_id db{};
  bytes key;
  table_ptr table;
  std::uint32_t thread = 0;
  table_place place;
  std::uint64_t by_number = 0;  ///< the node has taken the lock over: its number there
};

}  // namespace

struct client_tables::state : std::enable_shared_from_this<state> {
  std::map<db_id, known_database> databases;
  std::map<std::uint64_t, held_lock> held;
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

client_tables::client_tables() : state_(std::make_shared<state>()) {}
client_tables::~client_tables() = default;

// --- having a table ------------------------------------------------------------------------------------------------

bool client_tables::usable(client& c, db_id db) {
  auto& d = state_->databases[db];
  if (d.now == having::unasked) state_->ask_for_table(c, db);
  return d.now == having::here;
}

void client_tables::state::ask_for_table(client& c, db_id db) {
  databases[db].now = having::asking;
  const auto take = [weak = weak_from_this(),
                     db](const result<client_answer<record_table_reply>>& a) {
    const auto s = weak.lock();
    if (!s) return;
    auto& d = s->databases[db];
    if (a) return s->map_table(d, db, a->value.client);
    // a node that has not answered may do so later, with a table that nobody expects any more
    d.now = a.error().code == client_errc::disconnected ? having::unasked : having::none;
  };
  request_options o;
  o.late = [weak = weak_from_this()](const result<client_reply>& r) {
    if (const auto s = weak.lock(); s && r && !s->came.empty()) s->came.pop_front();
  };
  c.control<control::record_table>(pnn::current, {.db_id = db}, table_patience, take, std::move(o));
}

void client_tables::state::map_table(known_database& d, db_id db, std::uint32_t number) {
  d.now = having::none;
  if (came.empty()) return;
  const auto along = std::move(came.front());
  came.pop_front();
  auto t = std::make_shared<mapped_table>();
  t->number = number;
  if (along->in_process) {
    t->simulated = along->in_process;
    t->memory = t->simulated->memory;
  } else {
    if (along->fds.size() != 2) return;
    auto memory = table_memory::map(::dup(along->fds[0]));
    if (!memory) return;
    t->memory = std::move(*memory);
    t->wake_fd = ::dup(along->fds[1]);
  }
  if (t->memory->head().database != floe::number(db)) return;
  d.table = std::move(t);
  d.now = having::here;
}

void client_tables::arrived(descriptors_ptr d) { state_->came.push_back(std::move(d)); }

void client_tables::disconnected(const client_error& why) {
  auto& s = *state_;
  s.came.clear();
  s.held.clear();
  s.databases.clear();
  for (auto& [operation, lost] : std::exchange(s.under_way, {})) lost(why);
}

void client_tables::forget() { state_->under_way.clear(); }

std::vector<db_id> client_tables::mapped() const {
  std::vector<db_id> all;
  for (const auto& [db, d] : state_->databases)
    if (d.now == having::here) all.push_back(db);
  return all;
}

std::optional<std::uint64_t> client_tables::sequence_number(db_id db) const {
  const auto d = state_->databases.find(db);
  if (d == state_->databases.end() || d->second.now != having::here) return std::nullopt;
  return d->second.table->memory->stores();
}

// --- machines on a loop ----------------------------------------------------------------------------------------------

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

// --- lock ------------------------------------------------------------------------------------------------------------

struct client_tables::state::lock_run {
  lock_run(table_ptr t, db_id d, byte_view k, time_point until, when_done<locked_record> done_)
      : table(std::move(t)), db(d), key(k), deadline(until), done(std::move(done_)) {}
  table_ptr table;
  db_id db;
  bytes key;
  time_point deadline;
  when_done<locked_record> done;
  std::uint32_t thread = 0;
  std::uint64_t operation = 0;
  std::optional<table_lock> machine;
  duration pause{0};
  std::function<void()> ended;

  step_need step(std::uint64_t now_us) {
    if (now_us >= in_us(deadline)) machine->give_up();
    return machine->advance(now_us);
  }
};

void client_tables::lock(client& c, db_id db, byte_view key, duration patience,
                         when_done<locked_record> done) {
  auto& s = *state_;
  const auto table = s.databases.at(db).table;
  const auto r =
      std::make_shared<state::lock_run>(table, db, key, c.loop().now() + patience, std::move(done));
  r->thread = table->take_thread();
  r->operation = s.begin([r](const client_error& e) { r->done(std::unexpected(e)); });
  if (r->thread == 0) return s.ask_node(c, r);
  s.try_lock(c, r);
}

void client_tables::state::try_lock(client& c, const std::shared_ptr<lock_run>& r) {
  const auto me = holder_of(r->table->number, r->thread);
  r->machine.emplace(*r->table->memory, me, r->key, lock_wait::wait);
  r->pause = {};
  r->ended = [this, &c, weak = std::weak_ptr(r)] {
    const auto run = weak.lock();
    run->table->wake(run->machine->wakes());
    switch (run->machine->outcome()) {
      case lock_outcome::held:
        run->table->seen(mapped_table::act::locked, run->key,
                         rsn_at(run->machine->place(), *run->table));
        return granted(c, run, run->machine->place());
      case lock_outcome::not_here: return ask_node(c, run);
      case lock_outcome::given_up:
      case lock_outcome::busy:
      case lock_outcome::mine: break;
    }
    run->table->threads.erase(run->thread);
    finish<locked_record>(run->operation, run->done,
                          std::unexpected(client_error{
                              client_errc::timed_out, record_status_timed_out,
                              "another client of this node holds the record", pnn::current}));
  };
  drive(c, r->operation, r);
}

void client_tables::state::granted(client& c, const std::shared_ptr<lock_run>& r,
                                   const table_place& p) {
  bytes data;
  const auto content = read_held(*r->table->memory, p, data);
  while (held.contains(++last_lock) || last_lock == 0) {
  }
  held[last_lock] = {
      .db = r->db, .key = r->key, .table = r->table, .thread = r->thread, .place = p};
  finish<locked_record>(
      r->operation, r->done,
      locked_record{last_lock,
                    {.rsn = rsn{content.rsn}, .dmaster = c.self(), .flags = content.flags},
                    std::move(data)});
}

/// The record is not in the table: the node brings it here, and may put it in.
void client_tables::state::ask_node(client& c, const std::shared_ptr<lock_run>& r) {
  const auto left = std::max(r->deadline - c.loop().now(), duration(std::chrono::milliseconds(1)));
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  const auto flags =
      r->thread == 0 ? 0 : record_lock_in_table | r->thread << record_lock_thread_shift;
  // a grant that nobody waits for any more is given back
  request_options o;
  o.late = [weak = weak_from_this(), &c, r](const result<client_reply>& late) {
    const auto s = weak.lock();
    const auto a = decode_answer<control::record_lock>(late, pnn::current);
    if (s && a && a->value.lock_id != 0)
      unlock_record(c, a->value.lock_id, answer_slack, [](const result<void>&) {});
    if (!s || r->thread == 0) return;
    if (a && a->value.lock_id == 0)
      if (const auto p = find(*r->table->memory, r->key, table_hash(r->key))) {
        table_unlock u(*r->table->memory, holder_of(r->table->number, r->thread), *p);
        while (u.advance() != step_need::done) {
        }
        r->table->wake(u.wakes());
      }
    r->table->threads.erase(r->thread);
  };
  c.control<control::record_lock>(
      pnn::current,
      {.db_id = r->db,
       .flags = flags,
       .timeout_ms = static_cast<std::uint32_t>(std::clamp<std::int64_t>(ms, 1, UINT32_MAX)),
       .key = r->key},
      left + answer_slack,
      [weak = weak_from_this(), &c, r](const result<client_answer<record_lock_reply>>& a) {
        const auto s = weak.lock();
        if (!s) return;
        if (!a) {
          auto why = a.error();
          if (why.code == client_errc::refused && why.status == record_status_in_table &&
              r->thread != 0)
            return s->try_lock(c, r);
          if (why.code == client_errc::refused && why.status == record_status_timed_out)
            why.code = client_errc::timed_out;
          // without an answer the thread may be granted the lock yet
          if (why.code != client_errc::timed_out || why.status == record_status_timed_out)
            r->table->threads.erase(r->thread);
          return s->finish<locked_record>(r->operation, r->done, std::unexpected(why));
        }
        if (a->value.lock_id == 0) {
          if (const auto p = find(*r->table->memory, r->key, table_hash(r->key)))
            return s->granted(c, r, *p);
          return s->finish<locked_record>(r->operation, r->done,
                                          std::unexpected(not_held("the record table is damaged")));
        }
        r->table->threads.erase(r->thread);
        s->finish<locked_record>(
            r->operation, r->done,
            locked_record{a->value.lock_id, a->value.header, bytes(a->value.data)});
      },
      std::move(o));
}

// --- store and unlock --------------------------------------------------------------------------------------------------

namespace {

struct store_run {
  store_run(const held_lock& h, byte_view d) : lock(h), data(d) {}
  held_lock lock;
  bytes data;
  std::optional<table_store> machine;
  duration pause{0};
  std::function<void()> ended;
  step_need step(std::uint64_t now_us) {
    if (!machine)
      machine.emplace(*lock.table->memory, holder_of(lock.table->number, lock.thread), lock.place,
                      data, now_us);
    return machine->advance();
  }
};

struct unlock_run {
  explicit unlock_run(const held_lock& h)
      : lock(h), machine(*h.table->memory, holder_of(h.table->number, h.thread), h.place) {}
  held_lock lock;
  table_unlock machine;
  duration pause{0};
  std::function<void()> ended;
  step_need step(std::uint64_t) { return machine.advance(); }
};

}  // namespace

void client_tables::store(client& c, std::uint64_t lock_id, byte_view data, after_write then,
                          duration patience, when_done<void> done) {
  auto& s = *state_;
  const auto found = s.held.find(lock_id);
  const auto operation = s.begin([done](const client_error& e) { done(std::unexpected(e)); });
  if (found == s.held.end()) {
    c.loop().post([weak = std::weak_ptr(state_), operation, done] {
      if (const auto still = weak.lock())
        still->finish<void>(operation, done,
                            std::unexpected(not_held("this lock is not held by this client")));
    });
    return;
  }
  const auto by_number = [this, &c, operation, lock_id, then, patience, done,
                          content = bytes(data)](std::uint64_t number) {
    auto answered = [weak = std::weak_ptr(state_), operation, lock_id, then,
                     done](const result<void>& r) {
      const auto still = weak.lock();
      if (!still) return;
      if (r && then == after_write::unlock) still->held.erase(lock_id);
      still->finish<void>(operation, done, r);
    };
    if (content.empty()) return delete_record(c, number, then, patience, answered);
    store_record(c, number, content, then, patience, answered);
  };
  if (const auto number = found->second.by_number) return by_number(number);
  const auto r = std::make_shared<store_run>(found->second, data);
  r->ended = [this, &c, weak = std::weak_ptr(r), lock_id, then, patience, operation, done,
              by_number] {
    switch (weak.lock()->machine->outcome()) {
      case store_outcome::not_held:
        state_->held.erase(lock_id);
        return state_->finish<void>(operation, done,
                                    std::unexpected(not_held("the node has taken the lock back")));
      case store_outcome::to_node:
        return state_->take_over(
            c, lock_id, patience,
            [this, operation, done, by_number, lock_id](const result<void>& t) {
              if (!t) return state_->finish<void>(operation, done, t);
              by_number(state_->held.at(lock_id).by_number);
            });
      case store_outcome::stored: break;
    }
    const auto& lock = weak.lock()->lock;
    bytes content;
    const auto now = read_held(*lock.table->memory, lock.place, content);
    lock.table->seen(mapped_table::act::stored, lock.key, now.rsn, content.empty());
    if (then == after_write::keep_lock) return state_->finish<void>(operation, done, {});
    // stored is stored, whatever becomes of the lock
    unlock(c, lock_id, patience,
           [weak_state = std::weak_ptr(state_), operation, done](const result<void>&) {
             if (const auto still = weak_state.lock()) still->finish<void>(operation, done, {});
           });
  };
  s.drive(c, operation, r);
}

/// What is stored does not fit, or the node was silent: the lock becomes one by number.
void client_tables::state::take_over(client& c, std::uint64_t lock_id, duration patience,
                                     when_done<void> then) {
  const auto& h = held.at(lock_id);
  c.control<control::record_lock>(
      pnn::current,
      {.db_id = h.db,
       .flags = record_lock_take_over | h.thread << record_lock_thread_shift,
       .timeout_ms = 0,
       .key = h.key},
      patience,
      [weak = weak_from_this(), lock_id, then](const result<client_answer<record_lock_reply>>& a) {
        const auto s = weak.lock();
        if (!s) return;
        const auto found = s->held.find(lock_id);
        if (found == s->held.end()) return;
        if (!a) return then(std::unexpected(a.error()));
        found->second.table->threads.erase(found->second.thread);
        found->second.by_number = a->value.lock_id;
        then({});
      });
}

void client_tables::unlock(client& c, std::uint64_t lock_id, duration patience,
                           when_done<void> done) {
  auto& s = *state_;
  const auto found = s.held.find(lock_id);
  const auto operation = s.begin([done](const client_error& e) { done(std::unexpected(e)); });
  const held_lock lock = found == s.held.end() ? held_lock{} : found->second;
  s.held.erase(lock_id);
  if (lock.by_number)
    return unlock_record(c, lock.by_number, patience,
                         [weak = std::weak_ptr(state_), operation, done](const result<void>& r) {
                           if (const auto still = weak.lock())
                             still->finish<void>(operation, done, r);
                         });
  if (!lock.table) {
    c.loop().post([weak = std::weak_ptr(state_), operation, done] {
      if (const auto still = weak.lock())
        still->finish<void>(operation, done,
                            std::unexpected(not_held("this lock is not held by this client")));
    });
    return;
  }
  const auto r = std::make_shared<unlock_run>(lock);
  r->ended = [this, weak = std::weak_ptr(r), operation, done] {
    const auto run = weak.lock();
    run->lock.table->wake(run->machine.wakes());
    run->lock.table->threads.erase(run->lock.thread);
    if (run->machine.was_held()) run->lock.table->seen(mapped_table::act::let_go, run->lock.key);
    if (!run->machine.was_held())
      return state_->finish<void>(operation, done,
                                  std::unexpected(not_held("the node has taken the lock back")));
    state_->finish<void>(operation, done, {});
  };
  s.drive(c, operation, r);
}

// --- read --------------------------------------------------------------------------------------------------------------

namespace {

struct read_run {
  read_run(table_ptr t, byte_view k, time_point until)
      : table(std::move(t)),
        key(k),
        deadline(until),
        machine(*table->memory, holder_of(table->number, 0), key, read_wait::for_holder) {}
  table_ptr table;
  bytes key;
  time_point deadline;
  bytes data;
  table_read machine;
  duration pause{0};
  std::function<void()> ended;
  step_need step(std::uint64_t now_us) {
    if (now_us >= in_us(deadline)) machine.give_up();
    return machine.advance(now_us, data);
  }
};

}  // namespace

void client_tables::read(client& c, db_id db, byte_view key, duration patience,
                         when_done<read_record_answer> done) {
  auto& s = *state_;
  const auto operation = s.begin([done](const client_error& e) { done(std::unexpected(e)); });
  const auto r =
      std::make_shared<read_run>(s.databases.at(db).table, key, c.loop().now() + patience);
  r->ended = [this, &c, weak = std::weak_ptr(r), db, operation, done] {
    const auto run = weak.lock();
    const auto left = std::max(run->deadline - c.loop().now(), duration(0));
    switch (run->machine.outcome()) {
      case read_outcome::read: {
        const auto& content = run->machine.content();
        const record_header header{
            .rsn = rsn{content.rsn}, .dmaster = c.self(), .flags = content.flags};
        return state_->finish<read_record_answer>(
            operation, done, read_record_answer{!run->data.empty(), header, run->data});
      }
      case read_outcome::not_here:
        return read_by_socket(c, db, run->key, read_from::owner, left,
                              [weak_state = std::weak_ptr(state_), operation,
                               done](const result<read_record_answer>& a) {
                                if (const auto still = weak_state.lock())
                                  still->finish<read_record_answer>(operation, done, a);
                              });
      case read_outcome::given_up: break;
    }
    state_->finish<read_record_answer>(
        operation, done,
        std::unexpected(client_error{client_errc::timed_out, record_status_timed_out,
                                     "another client of this node holds the record",
                                     pnn::current}));
  };
  s.drive(c, operation, r);
}

}  // namespace floe
