/// What a recovery takes from this node's copy of a database: all records, those that have changed, or those that it names.
/// Sent as messages, in buffers, in the order of the keys where it is everything.
#include <algorithm>

#include "actors/database/database.hpp"
#include "actors/events.hpp"
#include "protocol/mutant.hpp"
#include "protocol/types/database.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// Pull buffers on their way at a time: enough to keep the network busy, little enough to bound memory.
constexpr unsigned pull_window = 4;

/// As if to have copies were no change of a record. Of a mutant.
template <class Out, class Here>
key_set without(const key_set& all, const Out& out, const Here& here) {
  key_set rest;
  all.each([&](byte_view key) {
    const bytes k(key);
    if (!out.contains(k) && !here.contains(k)) rest.insert(key);
  });
  return rest;
}

}  // namespace

void database::pull(db_control& m) {
  const auto& p = m.request<control::db_pull>();
  freeze_step s;
  if (!transition(freeze_event::pull{}, m.answer, &s)) return;
  if (s.nothing_to_pull) return m.answer.good(wire::encode(std::uint32_t{0}));
  // a full disk keeps nothing from being given away: what could not be committed is read from the open group
  if (auto done = store_->flush(); !done) storage_failed("commit", done.error());
  gave_content_ = true;
  start_pull(m.answer, m.from, p.srvid, std::nullopt);
}

void database::start_pull(const replier& answer, pnn to, floe::srvid where,
                          std::optional<key_set> keys) {
  pull_.reset();
  pull_.emplace();
  pull_->id = ++last_pull_;
  pull_->to = to;
  pull_->srvid = where;
  pull_->answer = answer;
  pull_->keys = std::move(keys);
  if (pull_->keys)
    pull_->order = pull_->keys->sorted();
  else
    pull_->left_in_table = left_in_table();
  send_pull_buffers();
}

void database::send_changes(db_control& m) {
  const auto& p = m.request<control::db_changes>();
  if (!in_recovery(p.tid, m.answer)) return;
  if (commits_what_was_filled() && p.since == fill_->base)
    return start_pull(m.answer, m.from, p.srvid, fill_->changed);
  auto keys = store_->changes().since(p.since);
  if (!keys) return m.answer.fail("the changes since that generation are not known");
  if (mutated(mutant::copies_outlive_recoveries)) keys = without(*keys, copies_out_, copies_here_);
  start_pull(m.answer, m.from, p.srvid, std::move(keys));
}

void database::send_copies(db_control& m) {
  const auto& p = m.request<control::db_copies>();
  if (!in_recovery(p.tid, m.answer)) return;
  const auto asked = wire::decode<rec_buffer>(p.keys);
  if (!asked) return m.answer.fail("bad keys: " + asked.error().text());
  key_set keys;
  for (const rec_data& r : *asked) keys.insert(r.key);
  start_pull(m.answer, m.from, p.srvid, std::move(keys));
}

void database::on(db_continue_pull& m) {
  if (!pull_ || pull_->id != m.pull) return;
  --pull_->in_flight;
  send_pull_buffers();
}

/// The answer follows only when every buffer has left, so that it cannot overtake one.
void database::send_pull_buffers() {
  auto& p = *pull_;
  while (!p.exhausted && p.in_flight < pull_window) {
    rec_buffer_builder buffer(config_.id, config_.push_buffer_size);
    const auto read = p.keys ? next_of_keys(p, buffer) : next_records(p, buffer);
    if (!read) {
      storage_failed("scan", read.error());
      p.answer.fail("cannot read: " + read.error().text);
      pull_.reset();
      return;
    }
    if (buffer.empty()) break;
    p.count += buffer.count();
    ++p.in_flight;
    node_.tell(post_message{p.to, p.srvid, std::make_shared<const bytes>(buffer.take()),
                            [to = self(), id = p.id] { to.tell(db_continue_pull{id}); }});
  }
  if (p.exhausted && p.in_flight == 0) {
    tell_if_large(p);
    p.answer.good(wire::encode(p.count));
    pull_.reset();
  }
}

/// DBRecordCountWarn, DBSizeWarn, DBRecordSizeWarn: whatever part of the database was collected.
void database::tell_if_large(const pull_state& p) const {
  const auto now = store_->stats();
  if (!now) return;  // whoever reads says so
  const auto& limit = settings_.large;
  const auto tell = [&](const char* why) {
    env_.log.tell(event::database_large{
        .db = config_.name, .records = now->records, .bytes = now->bytes_used(), .why = why});
  };
  if (limit.records != 0 && now->records > limit.records)
    tell("more records than DBRecordCountWarn");
  if (limit.bytes != 0 && now->bytes_used() > limit.bytes) tell("more bytes than DBSizeWarn");
  if (limit.record_bytes != 0 && p.largest > limit.record_bytes)
    tell("a record larger than DBRecordSizeWarn");
}

/// The store's records and those that are left in the record table as one ascending stream.
std::expected<void, store_error> database::next_records(pull_state& p, rec_buffer_builder& buffer) {
  const auto add = [&](const record_view& r) {
    if (!buffer.empty() && buffer.size_with(r.key.size(), r.data.size()) > config_.push_buffer_size)
      return false;
    buffer.add(r.key, r.header, r.data);
    p.largest = std::max(p.largest, r.data.size());
    return true;
  };
  const auto left = [&] { return p.next_left < p.left_in_table.size(); };
  const auto add_left = [&] { return add(p.left_in_table[p.next_left]) && ++p.next_left; };
  if (!p.position.at_end()) {
    auto next = store_->scan(p.position, [&](const record_view& r) {
      if (r.data.empty() && mutated(mutant::deletions_not_pulled)) return true;
      const ordered_key here(r.key);
      while (left() && ordered_key(p.left_in_table[p.next_left].key) < here)
        if (!add_left()) return false;
      if (left() && p.left_in_table[p.next_left].key == r.key) return add_left();
      return add(r);
    });
    if (!next) return std::unexpected(std::move(next.error()));
    p.position = *next;
  }
  if (!p.position.at_end()) return {};
  while (left())
    if (!add_left()) return {};
  p.exhausted = true;
  return {};
}

/// A key without a record is sent without a header. Beside each key: when it has changed here (change_history::age_of).
std::expected<void, store_error> database::next_of_keys(pull_state& p, rec_buffer_builder& buffer) {
  for (; p.next < p.order.size() && (buffer.empty() || buffer.size() < config_.push_buffer_size);
       ++p.next) {
    const byte_view key = p.order[p.next];
    const std::uint32_t changed = store_->changes().age_of(key);
    auto found = store_->visit(key, [&](const record_view& r) {
      if (r.data.empty() && mutated(mutant::deletions_not_pulled))
        buffer.add_plain(key, {}, changed);
      else
        buffer.add(key, r.header, r.data, changed);
    });
    if (!found) return std::unexpected(std::move(found.error()));
    if (!*found) buffer.add_plain(key, {}, changed);
  }
  p.exhausted = p.next == p.order.size();
  return {};
}

}  // namespace floe
