#include "actors/database/content_sender.hpp"

#include <algorithm>

#include "actors/database/storage_trouble.hpp"
#include "actors/events.hpp"
#include "actors/mark_record.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/parts.hpp"
#include "protocol/rules/winner.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// Buffers on their way at a time: enough to keep the network busy, little enough to bound memory.
constexpr unsigned window = 4;

void add_marks(rec_buffer_builder& buffer, const std::vector<change_history::earlier_mark>& marks,
               byte_view key, std::uint32_t oldest) {
  for (const auto& [age, mark] : marks) {
    if (age > oldest) break;
    add_mark(buffer, key, mark, is_mark | age);
  }
}

}  // namespace

content_sender::transfer& content_sender::begin(receiver to) {
  return now_.emplace(transfer{.id = ++last_, .to = std::move(to)});
}

void content_sender::send_all(receiver to, std::vector<record> left_in_table) {
  begin(std::move(to)).left_in_table = std::move(left_in_table);
  send_buffers();
}

void content_sender::send(receiver to, key_set keys, std::vector<record> left_in_table,
                          beside_keys beside) {
  auto& t = begin(std::move(to));
  t.left_in_table = std::move(left_in_table);
  t.keys = std::move(keys);
  t.order = t.keys->sorted();
  t.beside = beside;
  send_buffers();
}

void content_sender::on(const db_continue_pull& m) {
  if (!now_ || now_->id != m.pull) return;
  --now_->in_flight;
  send_buffers();
}

void content_sender::send_buffers() {
  auto& t = *now_;
  while (!t.exhausted && t.in_flight < window) {
    rec_buffer_builder buffer(port_.config.id, port_.config.push_buffer_size);
    const auto read = t.keys ? next_of_keys(buffer) : next_records(buffer);
    if (!read) {
      port_.trouble.failed("scan", read.error());
      t.to.answer.fail("cannot read: " + read.error().text);
      now_.reset();
      return;
    }
    if (buffer.empty()) break;
    t.count += buffer.count();
    ++t.in_flight;
    port_.meter.sent(buffer.size());
    port_.node.tell(post_message{t.to.to, t.to.srvid, std::make_shared<const bytes>(buffer.take()),
                                 [to = port_.self, id = t.id] { to.tell(db_continue_pull{id}); }});
  }
  if (t.exhausted && t.in_flight == 0) {
    tell_if_large();
    t.to.answer.good(wire::encode(t.count));
    now_.reset();
  }
}

/// DBRecordCountWarn, DBSizeWarn, DBRecordSizeWarn: whatever part of the database was collected.
void content_sender::tell_if_large() const {
  const auto now = port_.store->stats();
  if (!now) return;  // whoever reads says so
  const auto& limit = port_.settings.large;
  const auto tell = [&](const char* why) {
    port_.env.log.tell(event::database_large{
        .db = port_.config.name, .records = now->records, .bytes = now->bytes_used(), .why = why});
  };
  if (limit.records != 0 && now->records > limit.records)
    tell("more records than DBRecordCountWarn");
  if (limit.bytes != 0 && now->bytes_used() > limit.bytes) tell("more bytes than DBSizeWarn");
  if (limit.record_bytes != 0 && now_->largest > limit.record_bytes)
    tell("a record larger than DBRecordSizeWarn");
}

/// The store's records and those that are left in the record table as one ascending stream.
std::expected<void, store_error> content_sender::next_records(rec_buffer_builder& buffer) {
  auto& t = *now_;
  const auto add = [&](const record_view& r) {
    if (!buffer.empty() &&
        buffer.size_with(r.key.size(), r.data.size()) > port_.config.push_buffer_size)
      return false;
    buffer.add(r.key, r.header, r.data);
    t.largest = std::max(t.largest, r.data.size());
    return true;
  };
  const auto left = [&] { return t.next_left < t.left_in_table.size(); };
  const auto add_left = [&] { return add(t.left_in_table[t.next_left]) && ++t.next_left; };
  if (!t.position.at_end()) {
    auto next = port_.store->scan(t.position, [&](const record_view& r) {
      if (r.data.empty() && mutated(mutant::deletions_not_pulled)) return true;
      const ordered_key here(r.key);
      while (left() && ordered_key(t.left_in_table[t.next_left].key) < here)
        if (!add_left()) return false;
      if (left() && t.left_in_table[t.next_left].key == r.key) return add_left();
      return add(r);
    });
    if (!next) return std::unexpected(std::move(next.error()));
    t.position = *next;
  }
  if (!t.position.at_end()) return {};
  while (left())
    if (!add_left()) return {};
  t.exhausted = true;
  return {};
}

/// What is left in the record table is newer than what the store has.
std::optional<record_view> content_sender::left_of(byte_view key) const {
  const auto& left = now_->left_in_table;
  if (left.empty()) return std::nullopt;
  const auto at = std::ranges::lower_bound(left, ordered_key(key), {},
                                           [](const record& r) { return ordered_key(r.key); });
  if (at == left.end() || at->key != key) return std::nullopt;
  return *at;
}

/// A key without a record is sent without a header.
void content_sender::add(rec_buffer_builder& buffer, byte_view key, const record_view* r) const {
  const auto latest = change_history::latest_in(now_->keys->tag_behind(key));
  auto beside = latest.age;
  if (now_->beside.tell_written && latest.age == 1 && latest.before.written) beside |= is_written;
  if (!r || (r->data.empty() && mutated(mutant::deletions_not_pulled))) {
    buffer.add_plain(key, {}, beside);
  } else {
    const bool newer = now_->beside.tell_newer && latest.age == 1 && !r->data.empty() &&
                       beats_what_was(r->header, data_sum(r->data), port_.env.self, latest.before);
    buffer.add(key, r->header, r->data, newer ? beside | is_newer : beside);
  }
  if (const auto oldest = now_->beside.oldest_mark; oldest > 0)
    add_marks(buffer, port_.store->changes().marks_of(key), key, oldest);
}

std::expected<void, store_error> content_sender::next_of_keys(rec_buffer_builder& buffer) {
  auto& t = *now_;
  const auto rest = std::span(t.order).subspan(t.next);
  const auto taken = port_.store->visit_each(rest, [&](byte_view key, const record_view* r) {
    if (!buffer.empty() && buffer.size() >= port_.config.push_buffer_size) return false;
    const auto left = left_of(key);
    add(buffer, key, left ? &*left : r);
    return true;
  });
  if (!taken) return std::unexpected(taken.error());
  t.next += *taken;
  t.exhausted = t.next == t.order.size();
  return {};
}

}  // namespace floe
