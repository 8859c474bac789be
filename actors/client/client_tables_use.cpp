/// What a client does with a record that it has locked in a table, and how it reads one without a lock.
#include "actors/client/client_tables_state.hpp"
#include "protocol/types/record_access.hpp"

namespace floe {

namespace {

struct store_run {
  store_run(const lock_in_table& h, byte_view d) : lock(h), data(d) {}
  lock_in_table lock;
  bytes data;
  std::optional<table_store> machine;
  duration pause{0};
  std::function<void()> ended;
  step_need step(std::uint64_t now_us) {
    if (!machine)
      machine.emplace(*lock.table->memory, holder_of(lock.table->number, lock.thread), lock.place,
                      data);
    return machine->advance(now_us);
  }
};

struct unlock_run {
  explicit unlock_run(const lock_in_table& h)
      : lock(h), machine(*h.table->memory, holder_of(h.table->number, h.thread), h.place) {}
  lock_in_table lock;
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
  const lock_in_table lock = found == s.held.end() ? lock_in_table{} : found->second;
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

// --- read, without a lock ---

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
