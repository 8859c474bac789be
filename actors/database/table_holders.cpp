/// Who holds which locks, and who waits for them: what a database's record table shows of itself, and all whom a freeze waits
/// for (holder_wait.hpp).
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "actors/database/database.hpp"
#include "actors/database/hot_records.hpp"

namespace floe {

bool database::in_table(byte_view key) const {
  return hot_records_ && hot_records_->table->find(key);
}

bool database::table_has_records() const {
  return hot_records_ && hot_records_->table->records() > 0;
}

std::uint64_t database::table_locks() const {
  return hot_records_ ? hot_records_->table->locks() : 0;
}

const client_ref* database::table_holder_of(byte_view key) const {
  if (!hot_records_) return nullptr;
  const auto slot = hot_records_->table->find(key);
  const auto* holder =
      slot ? hot_records_->user_of(hot_records_->table->holder_seen(*slot)) : nullptr;
  return holder ? &holder->client : nullptr;
}

/// Who waits says so in the table, but not since when: that is when we have seen it first.
void database::look_who_waits() {
  auto& h = *hot_records_;
  std::map<std::pair<std::uint32_t, table_holder>, time_point> now;
  h.table->for_each_waiter([&](std::uint32_t slot, table_holder who) {
    const auto before = h.waits.find({slot, who});
    now[{slot, who}] = before == h.waits.end() ? env_.loop.now() : before->second;
  });
  h.waits = std::move(now);
}

std::vector<table_waiting> database::table_waiters() const {
  std::vector<table_waiting> all;
  if (!hot_records_) return all;
  const auto& h = *hot_records_;
  h.table->for_each_waiter([&](std::uint32_t slot, table_holder who) {
    const auto* u = h.user_of(who);
    if (!u) return;
    const auto seen = h.waits.find({slot, who});
    const auto* holder = h.user_of(h.table->holder_seen(slot));
    all.push_back(
        {h.table->key_of(slot), u->client,
         seen == h.waits.end() ? duration{0} : env_.loop.now() - seen->second,
         holder ? fmt::format("held-by-client-{}-pid-{}", holder->client.id, holder->client.pid)
                : "queued"});
  });
  std::ranges::sort(all, {}, &table_waiting::key);
  return all;
}

std::vector<key_holder> database::table_holders() const {
  std::vector<key_holder> all;
  if (!hot_records_) return all;
  const auto now_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(env_.loop.now().time_since_epoch())
          .count();
  hot_records_->table->for_each_holder([&](const table_lock_info& l) {
    const auto* u = hot_records_->user_of(l.holder);
    if (!u) return;
    // the holder says since when; a time that cannot be is none
    const auto since = static_cast<std::int64_t>(l.since_ms);
    const auto age = since > 0 && since <= now_ms ? now_ms - since : 0;
    all.push_back({bytes(l.key), u->client, std::chrono::milliseconds(age)});
  });
  std::ranges::sort(all, {}, &key_holder::key);
  return all;
}

/// Of all clients of this node: a freeze waits for them.
std::vector<key_holder> database::lock_holders() const {
  std::vector<key_holder> all;
  for (const bytes& key : locks_.keys())
    if (const auto& e = locks_.all().at(key); e.holder)
      all.push_back({key, e.holder->client, env_.loop.now() - e.holder->since});
  std::ranges::move(table_holders(), std::back_inserter(all));
  return all;
}

void database::on(db_holder_rules& m) { holders_.set(m); }

void database::on(db_holders_late& m) {
  if (holders_.is_of_this(m) && freeze_.state == freeze_state::freezing)
    holders_.late(lock_holders());
}

}  // namespace floe
