/// What a database shows of itself: its state for status and locks, its statistics, its records for a traverse.
#include <fmt/format.h>

#include <set>
#include <vector>

#include "actors/database/database.hpp"
#include "protocol/constants.hpp"
#include "protocol/rules/elapsed.hpp"
#include "protocol/types/db_statistics.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

constexpr std::size_t bytes_of_slice = 64 << 10;  ///< bytes, some hundred microseconds

/// Holders and waiters that a report names, and bytes of a key: it tells the number of all. Enough for people, and a
/// report stays small whatever clients do.
constexpr std::size_t named_max = 1000;
constexpr std::size_t key_bytes_max = 256;

bytes shown(const bytes& key) { return key.substr(0, key_bytes_max); }

/// Sorted, unless there are more than are named.
std::vector<bytes> some_keys(const lock_table& t) {
  if (t.all().size() <= named_max) return t.keys();
  std::vector<bytes> some;
  for (const auto& [key, e] : t.all())
    if (some.size() < named_max) some.push_back(key);
  return some;
}

/// Those that wait: a node that has waited for long asks again, and is one all the same.
std::vector<const lock_waiter*> each_once(const lock_table::entry& e) {
  std::vector<const lock_waiter*> all;
  std::set<pnn> nodes;
  for (const auto& w : e.waiters)
    if (w.use != record_use::peer_call || nodes.insert(w.packet->content.header.src).second)
      all.push_back(&w);
  return all;
}

}  // namespace

void database::on(db_inspect& m) {
  database_report r{.id = config_.id,
                    .name = config_.name,
                    .path = config_.file,
                    .damage = damage_.text(),
                    .kind = config_.kind,
                    .gen = gen_,
                    .state = freeze_.state,
                    .state_age_ms = age_ms(state_since_),
                    .migrations_pending = requests_.size(),
                    .migrations_done = migrations_done_,
                    .migrations_resent = migrations_resent_};
  report_work(r);
  report_content(r);
  report_locks(r, m.locks);
  m.tell(std::move(r));
}

std::int64_t database::age_ms(time_point t) const { return in_ms(env_.loop.now() - t); }

/// What goes on beside the serving of records.
void database::report_work(database_report& r) const {
  vacuum_.report(r);
  copies_.report(r);
  r.sticky = stays_.sticky();
  r.sequence = changes_.now();
  r.work = {.processor_seconds = in_seconds(meter_.worked()),
            .received = meter_.received(),
            .sent = meter_.sent(),
            .stored = meter_.stored()};
  commit_.report(r);
  r.storage_trouble = storage_.what();
  if (!r.storage_trouble.empty()) r.storage_age_ms = age_ms(storage_.since());
}

void database::report_content(database_report& r) const {
  table_.report(r);
  if (!store_ || store_use_ != store_use::here) return;
  // what clients have put in is counted; the sequence number is kept beside it
  const bool numbered =
      config_.kind != db_kind::volatile_db &&
      store_->visit(sequence_number_key, [](const record_view&) {}).value_or(false);
  r.records = store_->count().value_or(0) - (numbered ? 1 : 0);
  r.bytes = store_->file_bytes();
  const auto& changes = store_->changes();
  r.changes = {.state = changes.state(),
               .since = changes.base(),
               .keys = changes.keys(),
               .bytes = changes.size_bytes()};
}

/// `named`: who they are, too.
void database::report_locks(database_report& r, bool named) const {
  const auto in_table = table_.holders();
  const auto wait_in_table = table_.waiters();
  r.locks_held = locks_.holders() + in_table.size();
  r.locks_waiting = wait_in_table.size();
  for (const auto& [key, e] : locks_.all()) {
    r.locks_waiting += e.waiters.size() < 2 ? e.waiters.size() : each_once(e).size();
    if (e.migration)
      r.migration_oldest_ms = std::max(r.migration_oldest_ms, age_ms(e.migration->since));
  }
  if (!named) return;
  r.hot = hot_.top(db_statistics::hot_keys_max, env_.loop.now());
  for (const bytes& key : some_keys(locks_)) {
    const auto& e = locks_.all().at(key);
    if (e.holder)
      r.holders.push_back({.key = shown(key),
                           .client = e.holder->client.id,
                           .pid = e.holder->client.pid,
                           .name = e.holder->client.name,
                           .age_ms = age_ms(e.holder->since)});
    for (const auto* w : each_once(e)) {
      if (r.waiters.size() == named_max) break;
      const bool remote = w->use == record_use::peer_call;
      r.waiters.push_back({.key = shown(key),
                           .client = w->client.id,
                           .pid = w->client.pid,
                           .name = remote ? "" : w->client.name,
                           .node = remote ? w->packet->content.header.src : env_.self,
                           .age_ms = age_ms(w->since),
                           .why = why_waiting(key, e)});
    }
  }
  for (const auto& t : in_table)
    r.holders.push_back({.key = shown(t.key),
                         .client = t.client.id,
                         .pid = t.client.pid,
                         .name = t.client.name,
                         .age_ms = in_ms(t.held)});
  for (const auto& t : wait_in_table)
    r.waiters.push_back({.key = shown(t.key),
                         .client = t.client.id,
                         .pid = t.client.pid,
                         .name = t.client.name,
                         .node = env_.self,
                         .age_ms = in_ms(t.waited),
                         .why = t.why});
}

void database::statistics(db_control& m) {
  db_statistics s;
  s.locks = {.num_calls = static_cast<std::uint32_t>(count_.locks_granted + count_.locks_failed +
                                                     table_.locks()),
             .num_current = static_cast<std::uint32_t>(locks_.holders() + table_.holders().size()),
             .num_failed = static_cast<std::uint32_t>(count_.locks_failed)};
  for (const auto& [key, e] : locks_.all())
    s.locks.num_pending += static_cast<std::uint32_t>(e.waiters.size());
  s.locks.num_pending += static_cast<std::uint32_t>(table_.waiters().size());
  const auto& l = count_.lock_latency;
  s.locks_latency = {
      .num = static_cast<std::int32_t>(l.num), .min = l.min, .max = l.max, .total = l.total};
  const auto& v = vacuum_.run_latency();
  s.vacuum_latency = {
      .num = static_cast<std::int32_t>(v.num), .min = v.min, .max = v.max, .total = v.total};
  s.db_ro_delegations = static_cast<std::uint32_t>(copies_.given());
  s.db_ro_revokes = static_cast<std::uint32_t>(copies_.called_back());
  s.locks_buckets = count_.lock_buckets;
  s.hop_count_bucket = count_.hop_buckets;
  const auto hottest = hot_.top(db_statistics::hot_keys_max, env_.loop.now());
  for (std::size_t i = 0; i < hottest.size(); ++i)
    s.hot_keys[i] = {.count = static_cast<std::uint32_t>(hottest[i].rate + 0.5),
                     .key = hottest[i].key};
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
    table_.collect();
    std::size_t sent = 0;
    auto next = store_->scan(*position, [&](const record_view& r) {
      if (sent > bytes_of_slice) return false;
      const bool ours = config_.kind != db_kind::volatile_db || owner(r.key, r.header) == env_.self;
      if (ours && (m.with_empty || !r.data.empty())) m.emit(r);
      sent += r.key.size() + r.data.size() + 64;
      return true;
    });
    if (!next) return m.done(next.error().text);
    if (next->at_end()) return m.done({});
    *position = *next;
    // `weak` is alive: somebody is running it
    m.slice_ends(
        [to = self(), again = weak.lock()] { to.tell(db_next_slice{[again] { (*again)(); }}); });
  };
  (*slice)();
}

}  // namespace floe
