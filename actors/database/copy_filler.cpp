#include "actors/database/copy_filler.hpp"

#include <fmt/format.h>

#include "actors/database/storage_trouble.hpp"
#include "protocol/mutant.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// A part is asked for once, and missed after this time.
constexpr duration part_patience = std::chrono::seconds(5);

std::string text_of(const control_answer& a) {
  return a.text.empty() ? fmt::format("status {}", a.status) : a.text;
}

}  // namespace

void copy_filler::begin_anew() { now_.emplace(progress{}); }

void copy_filler::go_on(const db_fill_from& m) {
  now_->number = m.fill;
  now_->from = m.from;
  now_->bytes_per_second = m.bytes_per_second;
  ask_for_part();
}

void copy_filler::refuse(fill_number fill, std::string why) const {
  tell(fill, fill_end::refused, std::move(why));
}

void copy_filler::ask_for_part() const {
  port_.node.tell(
      call_control{.to = now_->from,
                   .opcode = control::db_fill,
                   .data = wire::encode(db_fill_request{.db_id = port_.config.id,
                                                        .base = now_->base,
                                                        .begun = now_->begun ? 1U : 0U,
                                                        .after = now_->last_key}),
                   .patience = part_patience,
                   .answer = replier([to = port_.self, fill = now_->number](control_answer a) {
                     to.tell(db_fill_came{fill, std::move(a)});
                   })});
}

void copy_filler::on(const db_fill_came& m, bool may_store) {
  if (!now_ || now_->number != m.fill || now_->full) return;
  if (!may_store) return refuse(m.fill, "a recovery is at work here");
  if (m.answer.status == fill_base_unknown)
    return tell(m.fill, fill_end::unknown, text_of(m.answer));
  if (m.answer.status != 0) return refuse(m.fill, text_of(m.answer));
  const auto part = decode_reply<control::db_fill>(m.answer.data);
  if (!part) return refuse(m.fill, "an unreadable part");
  const auto records = wire::decode<rec_buffer>(part->records);
  if (!records || records->db_id() != port_.config.id || part->base == generation::invalid)
    return refuse(m.fill, "an unreadable part");
  if (now_->base != generation::invalid && part->base != now_->base)
    return refuse(m.fill, "a part of another content");
  if (records->count() == 0 && part->at_end == 0) return refuse(m.fill, "an empty part");
  if (auto why = take(*records); !why.empty()) return refuse(m.fill, std::move(why));
  now_->base = part->base;
  now_->in_all = part->in_all;
  now_->full = part->at_end != 0;
  if (mutated(mutant::joiner_counts_too_early)) now_->full |= 2 * now_->records >= now_->in_all;
  tell(m.fill, now_->full ? fill_end::full : fill_end::part, {});
  if (!now_->full) ask_later(m.answer.data.size());
}

std::string copy_filler::take(const rec_buffer& part) {
  std::vector<record_view> all;
  all.reserve(part.count());
  for (const rec_data& r : part) {
    const auto record = r.as_record();
    if (!record && !r.data.empty()) return "a record with half a header";
    if (record) all.push_back(*record);
  }
  if (auto done = port_.store->bulk_store(all); !done) {
    port_.trouble.failed("store", done.error());
    return "cannot store: " + done.error().text;
  }
  port_.trouble.works();
  for (const rec_data& r : part) {
    if (r.data.empty()) now_->changed.insert(r.key);
    now_->last_key = r.key;
    now_->begun = true;
  }
  now_->records += part.count();
  return {};
}

void copy_filler::ask_later(std::size_t after_bytes) const {
  const auto rate = now_->bytes_per_second;
  const auto pause = rate == 0 ? duration{0}
                               : std::chrono::duration_cast<duration>(std::chrono::duration<double>(
                                     static_cast<double>(after_bytes) / static_cast<double>(rate)));
  port_.env.loop.after(pause,
                       [to = port_.self, fill = now_->number] { to.tell(db_fill_on{fill}); });
}

void copy_filler::on(const db_fill_on& m) {
  if (now_ && now_->number == m.fill && !now_->full) ask_for_part();
}

void copy_filler::tell(fill_number fill, fill_end what, std::string why) const {
  port_.node.tell(database_fill{.id = port_.config.id,
                                .fill = fill,
                                .what = what,
                                .records = now_ ? now_->records : 0,
                                .in_all = now_ ? now_->in_all : 0,
                                .why = std::move(why)});
}

}  // namespace floe
