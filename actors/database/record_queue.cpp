/// The queue of a key: who gets the record next, and what its requests wait for.
#include <fmt/format.h>

#include <algorithm>

#include "actors/database/database.hpp"
#include "actors/database/log_text.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/types/record_access.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

double seconds(duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

void database::enqueue(byte_view key, lock_waiter w) {
  const auto arrival = env_.loop.now();
  w.since = arrival;
  w.gen = gen_;
  auto& e = locks_.at(key);
  if (mutated(mutant::newest_first))
    e.waiters.push_front(std::move(w));
  else
    e.waiters.push_back(std::move(w));
  const bytes k(key);
  advance(k);
  auto* now = locks_.find(k);
  if (!now || now->waiters.empty()) return;
  need_tick();
  // whoever is still in the queue after its first chance waits: worth a place on the timeline
  auto& last = now->waiters.back();
  if (last.what == lock_waiter::kind::lock && !last.noted && last.since == arrival) {
    last.noted = true;
    note("lock-wait", fmt::format("{} why={}", describe(last.client, k), why_waiting(*now)));
  }
}

std::string database::why_waiting(const lock_table::entry& e) const {
  if (e.holder)
    return fmt::format("held-by-client-{}-pid-{}", e.holder->client.id, e.holder->client.pid);
  if (!thawed()) return fmt::format("database-{}", name(freeze_.state));
  if (!map_applies(gen_, view_->gen)) return "database-not-recovered";
  if (e.migration) return fmt::format("migrating-from-node-{}", number(e.migration->to));
  return "queued";
}

void database::advance(const bytes& key) {
  while (auto* e = locks_.find(key)) {
    if (!thawed() && !mutated(mutant::granted_while_frozen)) break;
    if (e->holder) break;
    show_to_readers(key, *e);
    if (e->waiters.empty()) break;
    if (!serve_front(key, *e)) break;
  }
  locks_.tidy(key);
}

/// Who only looks at what is here waits for the holder alone, not for records that are on their way.
void database::show_to_readers(const bytes& key, lock_table::entry& e) {
  for (auto i = e.waiters.begin(); i != e.waiters.end();) {
    if (i->what != lock_waiter::kind::look) {
      ++i;
      continue;
    }
    answer_read(key, *i);
    i = e.waiters.erase(i);
  }
}

/// Acts for the first in the queue; false if it has to wait. The queue may have changed altogether afterwards.
bool database::serve_front(const bytes& key, lock_table::entry& e) {
  if (e.waiters.front().what == lock_waiter::kind::peer_call) {
    if (!map_applies(gen_, view_->gen)) return false;
    if (held_for_us(e, e.waiters.front())) {
      // the record is on its way here for somebody behind it in the queue; local requests go first
      auto local_one = std::ranges::find_if(
          e.waiters, [](const lock_waiter& w) { return w.what != lock_waiter::kind::peer_call; });
      if (local_one == e.waiters.end()) return false;
      std::rotate(e.waiters.begin(), local_one, local_one + 1);
      return serve_front(key, e);
    }
    auto w = std::move(e.waiters.front());
    e.waiters.pop_front();
    settle_peer_call(key, w);
    return true;
  }
  bool found = false;
  const auto here = decide_local_call(env_.self, local(key, &found).header);
  // A new map is set and this database not recovered yet: the map says nothing about its records. What is ours
  // goes on, everything else waits for the thaw; a new lmaster would invent a record beside the real one.
  if (!map_applies(gen_, view_->gen) && !(found && here.serve)) return false;
  if (!here.serve) {
    if (!e.migration) ask_for(key, e, here.ask);
    // requests of others that are not to be held back find their way while we wait
    for (auto i = e.waiters.begin(); i != e.waiters.end(); ++i) {
      if (i->what != lock_waiter::kind::peer_call || held_for_us(e, *i)) continue;
      auto w = std::move(*i);
      e.waiters.erase(i);
      settle_peer_call(key, w);
      return true;
    }
    return false;
  }
  if (e.waiters.front().what == lock_waiter::kind::lock) {
    grant(key, e);
    return true;
  }
  auto w = std::move(e.waiters.front());
  e.waiters.pop_front();
  if (w.what == lock_waiter::kind::read)
    answer_read(key, w);
  else
    answer_call(key, w);
  return true;
}

void database::grant(const bytes& key, lock_table::entry& e) {
  auto w = std::move(e.waiters.front());
  e.waiters.pop_front();
  if (w.id) key_of_waiter_.erase(w.id);
  env_.loop.cancel(w.deadline);
  const auto waited = env_.loop.now() - w.since;
  env_.count.count_lock(seconds(waited));
  count_.count_lock(seconds(waited));
  ++env_.count.locks_held;
  if (w.noted)
    note("lock-grant", fmt::format("{} waited_us={}", describe(w.client, key), microseconds(waited)));
  const auto lock_id = static_cast<std::uint64_t>(number(config_.id)) << 32 | ++last_lock_;
  locks_.grant(key, e, {.lock_id = lock_id, .client = w.client, .since = env_.loop.now()});
  const record r = local(key);
  w.answer.good(wire::encode(record_lock_reply{.header = r.header, .data = r.data, .lock_id = lock_id}));
}

void database::answer_read(const bytes& key, const lock_waiter& w) {
  bool found = false;
  const record r = local(key, &found);
  w.answer.good(wire::encode(record_read_reply{
      .found = found && !r.data.empty() ? 1U : 0U, .header = r.header, .data = r.data}));
}

void database::answer_call(const bytes& key, const lock_waiter& w) {
  const record r = local(key);
  const auto& call = std::get<req_call>(w.packet->content.body);
  bytes data;
  if (call.callid == call_id::fetch) data = r.data;
  if (call.callid == call_id::fetch_with_header) data = wire::encode(r.header) + r.data;
  store_as_daemon(key, r.header, r.data);
  --env_.count.pending_calls;
  env_.count.call_latency.add(seconds(env_.loop.now() - w.since));
  w.client.session.tell(session_send{make_frame(
      {.gen = view_->gen, .dest = pnn{0}, .src = env_.self, .id = w.packet->content.header.id},
      reply_call{.status = 0, .data = data})});
}

}  // namespace floe
