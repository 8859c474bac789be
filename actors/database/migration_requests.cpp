/// What this node asks others for: a request for a record is sent, sent again after a while and after a recovery, and ends when
/// the record has come; requests of others that a recovery has made void are dropped.
#include <algorithm>
#include <utility>

#include "actors/database/database.hpp"
#include "actors/events.hpp"
#include "actors/hex.hpp"
#include "protocol/constants.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/rules/migration.hpp"

namespace floe {

/// A record has become ours: whoever waits for it is served, whatever request brought it.
void database::arrived(const bytes& key) {
  ++migrations_done_;
  hot_.count(key, env_.loop.now());
  stays_.came(key, env_.loop.now());
  if (auto* e = locks_.find(key)) e->came = env_.loop.now();
  if (auto* e = locks_.find(key); e && e->migration) {
    const auto waited = env_.loop.now() - e->migration->since;
    if (e->migration->sends > 1 || waited > std::chrono::milliseconds(20))
      note(event::migration_done{.key = to_hex(key), .waited_us = in_us(waited)});
    requests_.forget(e->migration->id);
    e->migration.reset();
  }
  advance(key);
}

void database::note_request(bool again, const bytes& key, pnn to, reqid id) {
  if (again)
    note(event::migration_resent{.key = to_hex(key), .to = to, .reqid = number(id), .gen = gen_});
  else
    note(event::migration_sent{.key = to_hex(key), .to = to, .reqid = number(id), .gen = gen_});
}

void database::ask_for(const bytes& key, lock_table::entry& e, pnn whom, bool copy) {
  if (whom == pnn::unknown || whom == env_.self)
    return;  // no map yet; the next one thaws us and we come again
  const auto now = env_.loop.now();
  auto m = e.migration.value_or(migration_request{.since = now});
  const bool again = m.sends > 0;
  if (again) requests_.forget(m.id);
  // a late answer to the old number must not be taken for the new one
  m.id = env_.ids.take_for(config_.id);
  m.to = whom;
  m.gen = gen_;
  m.sent = now;
  m.copy = copy;
  ++m.sends;
  e.migration = m;
  requests_.sent(m.id, key);
  if (again) ++migrations_resent_;
  if (again || !thawed() || view_->mode == recovery_mode::active)
    note_request(again, key, whom, m.id);
  send_packet(whom, m.id, env_.self,
              req_call{.flags = copy ? call_flag::want_readonly : call_flag::immediate_migration,
                       .db = config_.id,
                       .callid = copy ? call_id::fetch_with_header : call_id::null,
                       .hopcount = 0,
                       .key = key,
                       .data = {}});
  need_tick();
}

/// At thaw: every pending request is asked again with a new number and the new generation, by the new map.
void database::resend_pending() {
  in_slices(locks_.keys(), [this, of = ++thaw_count_](const bytes& key) {
    auto* e = locks_.find(key);
    if (!e || of != thaw_count_ || !thawed()) return;
    if (e->migration && !mutated(mutant::requests_not_sent_again)) {
      const auto now = at_thaw(state_of(key, *e));
      if (now.action == pending_action::arrived) {
        ++migrations_resent_;
        note_request(true, key, env_.self, env_.ids.take());
        arrived(key);
      } else
        ask_for(key, *e, now.to, e->migration->copy);
    }
    advance(key);
  });
}

/// A node has connected: what was asked of it before was lost, and it may have had no way to give us what it has.
void database::ask_again_if_one_came(const cluster_view& before) {
  bool came = false;
  for (std::uint32_t n = 0; n < before.nodes.size(); ++n)
    came |= (before.nodes[n].flags & node_flag::disconnected) && reachable(pnn{n});
  if (!came || !thawed() || !port_.is_of_map()) return;
  in_slices(requests_.keys(), [this](const bytes& key) {
    auto* e = locks_.find(key);
    if (!e || !e->migration || !thawed()) return;
    ask_for(key, *e, e->migration->to, e->migration->copy);
    advance(key);
  });
}

/// Requests of other nodes that waited through a recovery are dropped: their senders ask again at their thaw.
void database::drop_stale_waiters(generation before) {
  if (before == gen_) return;
  for (const bytes& key : locks_.keys()) {
    auto* e = locks_.find(key);
    std::erase_if(e->waiters, [&](const lock_waiter& w) {
      return !survives_wait(w.use == record_use::peer_call, w.gen, gen_);
    });
    locks_.tidy(key);
  }
}

/// The content has been replaced as a whole: records and requests of other nodes that waited are of before.
void database::drop_what_waits() {
  deferred_.clear();
  for (const bytes& key : locks_.keys()) {
    auto* e = locks_.find(key);
    std::erase_if(e->waiters, [](const lock_waiter& w) { return w.use == record_use::peer_call; });
    locks_.tidy(key);
  }
}

void database::on(db_tick&) {
  ticking_ = false;
  if (freeze_.state == freeze_state::freezing) holders_.name(lock_holders());
  if (thawed() && port_.is_of_map()) {
    in_slices(requests_.keys(), [this](const bytes& key) {
      auto* e = locks_.find(key);
      if (!e || !e->migration || !thawed()) return;
      for (auto& w : e->waiters) note_wait(key, *e, w);
      const auto& m = *e->migration;
      const auto next =
          at_tick(state_of(key, *e), {.to = m.to, .sent = m.sent, .wanted = !e->waiters.empty()},
                  config_.resend_after);
      if (next.action == pending_action::keep) return;
      if (next.action == pending_action::ask_again) {
        ask_for(key, *e, next.to, m.copy);
        return advance(key);
      }
      requests_.forget(m.id);
      e->migration.reset();
      locks_.tidy(key);
    });
  }
  if (!locks_.empty()) need_tick();
}

void database::need_tick() {
  if (ticking_) return;
  ticking_ = true;
  env_.loop.after(std::chrono::seconds(1), [to = self()] { to.tell(db_tick{}); });
}

}  // namespace floe
