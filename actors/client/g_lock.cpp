#include "actors/client/g_lock.hpp"

#include <algorithm>
#include <utility>

#include "actors/client/processes.hpp"
#include "protocol/constants.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

constexpr duration first_pause = std::chrono::milliseconds(1);
constexpr duration longest_pause = std::chrono::milliseconds(50);
constexpr duration register_patience = std::chrono::seconds(10);

client_error bad_record() {
  return {client_errc::bad_reply, 0,
          "the lock's record is not in CTDB's format (smbd uses another one)", pnn::current};
}

/// And gives the record's lock back, also where the node cannot store the list: everybody would wait for it.
void write_list(client& c, std::uint64_t lock_id, const g_lock_list& list, duration patience,
                when_done<void> done) {
  auto written = [&c, lock_id, patience, done = std::move(done)](const result<void>& r) {
    if (r) return done(r);
    unlock_record(c, lock_id, patience, [done, r](const result<void>&) { done(r); });
  };
  if (list.locks.empty())
    return delete_record(c, lock_id, after_write::unlock, patience, std::move(written));
  store_record(c, lock_id, wire::encode(list), after_write::unlock, patience, std::move(written));
}

/// One attempt after the other to become a holder.
struct taking : std::enable_shared_from_this<taking> {
  taking(client& on, byte_view of, g_lock_type t, time_point end, when_done<held_g_lock> tell)
      : c(on), type(t), until(end), done(std::move(tell)) {
    lock.name = bytes(of);
  }

  client& c;
  g_lock_type type;
  time_point until;
  when_done<held_g_lock> done;
  held_g_lock lock;
  std::vector<server_id> dead;
  duration pause = first_pause;

  duration left() const {
    return std::max(duration{std::chrono::milliseconds(1)}, duration{until - c.loop().now()});
  }
  void fail(client_error e) { done(std::unexpected(std::move(e))); }

  void begin() {
    auto self = shared_from_this();
    name_myself(c, register_patience, [self](const result<server_id>& name) {
      if (!name) return self->fail(name.error());
      self->lock.owner = *name;
      attach(self->c, g_lock_db, db_kind::volatile_db, self->left(),
             [self](const result<db_id>& db) {
               if (!db) return self->give_up(db.error());
               self->lock.db = *db;
               self->look();
             });
    });
  }

  void give_up(client_error e) {
    give_up_name(c, lock.owner);
    fail(std::move(e));
  }

  void look() {
    auto self = shared_from_this();
    lock_record(c, lock.db, lock.name, left(), [self](const result<locked_record>& r) {
      if (!r) return self->give_up(r.error());
      self->decide(*r);
    });
  }

  void decide(const locked_record& r) {
    auto list = wire::decode<g_lock_list>(r.data);
    if (!list) return unlock_then(r.lock_id, [this] { give_up(bad_record()); });
    if (const auto other = join_or_blame(*list, type, lock.owner, dead))
      // asked without the record's lock: the answer may take long, and a recovery would wait for us
      return unlock_then(r.lock_id, [this, who = *other] { ask_about(who); });
    auto self = shared_from_this();
    write_list(c, r.lock_id, *list, left(), [self](const result<void>& stored) {
      if (!stored) return self->give_up(stored.error());
      self->done(self->lock);
    });
  }

  void unlock_then(std::uint64_t id, std::function<void()> then) {
    unlock_record(c, id, left(),
                  [self = shared_from_this(), then = std::move(then)](const result<void>& r) {
                    if (!r) return self->give_up(r.error());
                    then();
                  });
  }

  void ask_about(const server_id& who) {
    const auto patience = std::min(left(), duration{std::chrono::seconds(3)});
    server_exists(c, who, patience, [self = shared_from_this(), who](const result<bool>& lives) {
      if (!lives || *lives) return self->wait(who);  // where nobody answers, it may be there
      self->dead.push_back(who);
      self->look();
    });
  }

  void wait(const server_id& holder) {
    if (c.loop().now() >= until)
      return give_up({client_errc::timed_out, 0,
                      "held by process " + std::to_string(holder.pid) + " on node " +
                          std::to_string(number(holder.vnn)),
                      pnn::current});
    c.later(std::min(pause, left()), [self = shared_from_this()] { self->look(); });
    pause = std::min(pause * 2, longest_pause);
  }
};

}  // namespace

void take_g_lock(client& c, byte_view name, g_lock_type type, duration patience,
                 when_done<held_g_lock> done) {
  std::make_shared<taking>(c, name, type, c.loop().now() + patience, std::move(done))->begin();
}

void still_held(client& c, const held_g_lock& held, duration patience, when_done<bool> done) {
  read_record(c, held.db, held.name, read_from::owner, patience,
              [owner = held.owner, done = std::move(done)](const result<read_record_answer>& r) {
                if (!r) return done(std::unexpected(r.error()));
                const auto list = wire::decode<g_lock_list>(r->data);
                done(list && std::ranges::any_of(list->locks,
                                                 [&](const auto& l) { return l.holder == owner; }));
              });
}

void release_g_lock(client& c, const held_g_lock& held, duration patience, when_done<void> done) {
  give_up_name(c, held.owner);
  lock_record(c, held.db, held.name, patience,
              [&c, held, patience, done](const result<locked_record>& r) {
                if (!r) return done(std::unexpected(r.error()));
                auto list = wire::decode<g_lock_list>(r->data);
                if (!list || !leave(*list, held.owner))
                  return unlock_record(c, r->lock_id, patience, done);
                write_list(c, r->lock_id, *list, patience, done);
              });
}

}  // namespace floe
