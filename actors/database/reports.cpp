/// What a database shows of itself: its state for status and locks, its statistics, its records for a traverse.
#include <fmt/format.h>

#include "actors/database/database.hpp"
#include "protocol/constants.hpp"
#include "protocol/types/db_statistics.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {

void database::on(db_inspect& m) {
  const auto age_ms = [now = env_.loop.now()](time_point t) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - t).count();
  };
  database_report r{.id = config_.id, .name = config_.name, .path = config_.file, .damage = damage_, .kind = config_.kind,
                    .gen = gen_, .state = freeze_.state, .state_age_ms = age_ms(state_since_),
                    .migrations_pending = key_of_request_.size(), .migrations_done = migrations_done_,
                    .migrations_resent = migrations_resent_};
  r.vacuum = {.queued = vacuum_.deleted.size() + vacuum_.home.size() + vacuum_.to_fetch.size(), .runs = vacuum_.runs,
              .forgotten = vacuum_.forgotten, .sent_home = vacuum_.sent_home, .refused = vacuum_.refused,
              .compactions = vacuum_.compactions, .running_ms = vacuum_.running ? age_ms(vacuum_.since) : -1,
              .last_run_seconds = vacuum_.last_run_seconds, .last_run_forgotten = vacuum_.last_run_forgotten};
  if (const auto since = vacuum_.deleted.oldest()) r.vacuum.oldest_ms = age_ms(*since);
  r.sequence = seqnum_;
  r.commit = describe_commit();
  if (!r.commit.empty()) r.commit_age_ms = age_ms(commit_since_);
  r.locks_held = locks_.holders();
  for (const auto& [key, e] : locks_.all()) r.locks_waiting += e.waiters.size();
  if (store_ && store_use_ == store_use::here) r.records = store_->count().value_or(0);
  if (m.locks)
    for (const bytes& key : locks_.keys()) {
      const auto& e = locks_.all().at(key);
      if (e.holder)
        r.holders.push_back({.key = key, .client = e.holder->client.id, .pid = e.holder->client.pid,
                             .name = e.holder->client.name, .age_ms = age_ms(e.holder->since)});
      for (const auto& w : e.waiters) {
        const bool remote = w.use == record_use::peer_call;
        r.waiters.push_back({.key = key, .client = w.client.id, .pid = w.client.pid,
                             .name = remote ? "" : w.client.name,
                             .node = remote ? w.packet->content.header.src : env_.self,
                             .age_ms = age_ms(w.since), .why = why_waiting(e)});
      }
    }
  m.tell(std::move(r));
}

void database::statistics(db_control& m) {
  db_statistics s;
  s.locks = {.num_calls = static_cast<std::uint32_t>(count_.locks_granted + count_.locks_failed),
             .num_current = static_cast<std::uint32_t>(locks_.holders()),
             .num_failed = static_cast<std::uint32_t>(count_.locks_failed)};
  for (const auto& [key, e] : locks_.all()) s.locks.num_pending += static_cast<std::uint32_t>(e.waiters.size());
  const auto& l = count_.lock_latency;
  s.locks_latency = {.num = static_cast<std::int32_t>(l.num), .min = l.min, .max = l.max, .total = l.total};
  const auto& v = vacuum_.run_latency;
  s.vacuum_latency = {.num = static_cast<std::int32_t>(v.num), .min = v.min, .max = v.max, .total = v.total};
  s.locks_buckets = count_.lock_buckets;
  s.hop_count_bucket = count_.hop_buckets;
  const auto hottest = hot_.top(db_statistics::hot_keys_max, env_.loop.now());
  for (std::size_t i = 0; i < hottest.size(); ++i)
    s.hot_keys[i] = {.count = static_cast<std::uint32_t>(hottest[i].rate + 0.5), .key = hottest[i].key};
  m.answer.good(wire::encode(s));
}

void database::on(db_traverse& m) {
  if (store_use_ != store_use::here || freeze_.state == freeze_state::in_transaction)
    return m.done("database is being recovered");
  // a slice per turn, so that nothing else waits for a large database
  auto position = std::make_shared<scan_position>();
  auto slice = std::make_shared<std::function<void()>>();
  *slice = [this, m = std::move(m), position, weak = std::weak_ptr(slice)] {
    if (store_use_ != store_use::here) return m.done("database is being recovered");
    std::size_t sent = 0;
    auto next = store_->scan(*position, [&](const record_view& r) {
      if (sent > 256 * 1024) return false;
      const bool ours = config_.kind != db_kind::volatile_db || owner(r.key, r.header) == env_.self;
      if (ours && (m.with_empty || !r.data.empty())) m.emit(r);
      sent += r.key.size() + r.data.size() + 64;
      return true;
    });
    if (!next) return m.done(next.error().text);
    if (next->at_end()) return m.done({});
    *position = *next;
    // `weak` is alive: somebody is running it
    self().tell(db_next_slice{[again = weak.lock()] { (*again)(); }});
  };
  (*slice)();
}

void database::on(db_next_slice& m) { m.go(); }

}  // namespace floe
