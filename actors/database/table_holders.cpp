/// Who holds which locks in a database's record table, and who waits for them: what it shows of itself.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "actors/database/hot_records.hpp"
#include "protocol/rules/elapsed.hpp"

namespace floe {

bool hot_records::has(byte_view key) const { return open_ && open_->table->find(key); }

bool hot_records::has_records() const { return open_ && open_->table->records() > 0; }

std::uint64_t hot_records::locks() const {
  return open_ ? open_->table->locks() - locks_before_reset_ : 0;
}

const client_ref* hot_records::client_holding(byte_view key) const {
  if (!open_) return nullptr;
  const auto slot = open_->table->find(key);
  const auto* holder = slot ? open_->user_of(open_->table->holder_seen(*slot)) : nullptr;
  return holder ? &holder->client : nullptr;
}

/// Who waits says so in the table, but not since when: that is when we have seen it first.
void hot_records::look_who_waits() {
  auto& h = *open_;
  std::map<std::pair<std::uint32_t, table_holder>, time_point> now;
  h.table->for_each_waiter([&](std::uint32_t slot, table_holder who) {
    const auto before = h.waits.find({slot, who});
    now[{slot, who}] = before == h.waits.end() ? port_.env.loop.now() : before->second;
  });
  h.waits = std::move(now);
}

std::vector<table_waiting> hot_records::waiters() const {
  std::vector<table_waiting> all;
  if (!open_) return all;
  const auto& h = *open_;
  h.table->for_each_waiter([&](std::uint32_t slot, table_holder who) {
    const auto* u = h.user_of(who);
    if (!u) return;
    const auto seen = h.waits.find({slot, who});
    const auto* holder = h.user_of(h.table->holder_seen(slot));
    all.push_back(
        {h.table->key_of(slot), u->client,
         seen == h.waits.end() ? duration{0} : port_.env.loop.now() - seen->second,
         holder ? fmt::format("held-by-client-{}-pid-{}", holder->client.id, holder->client.pid)
                : "queued"});
  });
  std::ranges::sort(all, {}, &table_waiting::key);
  return all;
}

std::vector<key_holder> hot_records::holders() const {
  std::vector<key_holder> all;
  if (!open_) return all;
  const auto now_ms = in_ms(port_.env.loop.now().time_since_epoch());
  open_->table->for_each_holder([&](const table_lock_info& l) {
    const auto* u = open_->user_of(l.holder);
    if (!u) return;
    // the holder says since when; a time that cannot be is none
    const auto since = static_cast<std::int64_t>(l.since_ms);
    const auto age = since > 0 && since <= now_ms ? now_ms - since : 0;
    all.push_back({bytes(l.key), u->client, std::chrono::milliseconds(age)});
  });
  std::ranges::sort(all, {}, &key_holder::key);
  return all;
}

void hot_records::report(database_report& r) const {
  if (!open_) return;
  const auto& t = *open_->table;
  r.table = {.records = t.records(),
             .clients = t.clients(),
             .locks = locks(),
             .recalls = t.recalled_ever()};
}

}  // namespace floe
