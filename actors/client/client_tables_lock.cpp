/// How a client locks a record in a table: there, or where the node says.
#include "actors/client/client_tables_state.hpp"
#include "protocol/types/record_access.hpp"

namespace floe {
namespace {

constexpr duration answer_slack = std::chrono::seconds(5);

}  // namespace

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
      case lock_outcome::held: {
        bytes content;
        const auto now = read_held(*run->table->memory, run->machine->place(), content);
        run->table->seen(mapped_table::act::locked, run->key, now.rsn);
        return granted(c, run, run->machine->place());
      }
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

}  // namespace floe
