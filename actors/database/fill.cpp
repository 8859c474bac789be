/// How the copy of a node that joins is filled before the node takes part (protocol/rules/joining.hpp): the parts that a
/// database in use gives of its content, and the taking in of parts by one that counts nowhere.
#include <fmt/format.h>

#include "actors/database/database.hpp"
#include "actors/events.hpp"
#include "protocol/mutant.hpp"
#include "protocol/rules/lineage.hpp"
#include "protocol/rules/migration.hpp"
#include "protocol/wire/codec.hpp"

namespace floe {
namespace {

/// Of records, in one part: it is read in a fraction of a millisecond, during which nothing else of its node goes on.
constexpr std::size_t part_size = 128 << 10;
/// A part is asked for once, and missed after this time.
constexpr duration part_patience = std::chrono::seconds(5);

std::string text_of(const control_answer& a) {
  return a.text.empty() ? fmt::format("status {}", a.status) : a.text;
}

}  // namespace

/// What is in the record table and not in the store is no change of the content yet, and comes to nobody who is filled: as long
/// as it is not noted the store has what all had.
bool database::notes_changes() const {
  const auto& changes = store_->changes();
  return content() != generation::invalid && changes.base() == content() &&
         changes.state() == change_state::complete;
}

void database::on(db_tell_contents& m) {
  std::vector<db_content_entry> all;
  const auto records = store_ && store_use_ == store_use::here ? store_->count().value_or(0) : 0;
  const auto claim = [&](content_claim c, generation g) {
    all.push_back({.db_id = config_.id, .claim = c, .generation = g, .records = records});
  };
  if (config_.kind == db_kind::volatile_db && store_ && store_use_ == store_use::here) {
    const auto now = content();
    if (notes_changes()) {
      const auto before = store_->changes().earlier();
      claim(content_claim::base, now);
      for (const generation g : before) claim(content_claim::earlier, g);
      const auto first = before.empty() ? now : before.back();
      if (is_birth(first)) claim(content_claim::birth, first);
    } else if (now != generation::invalid) {
      claim(content_claim::unknown, now);
    }
    if (now != generation::invalid && own_freeze_ == own_freeze::none)
      claim(content_claim::serves, now);
    if (fill_ && fill_->full) claim(content_claim::filled, fill_->base);
  }
  m.tell(std::move(all));
}

// --- of a database in use ----------------------------------------------------------------------------------------

/// What has changed since the base is sent as keys: the receiver may have them in no state, or that of the base, and so
/// it does not matter how long the scan takes, nor which recoveries commit meanwhile.
void database::give_part(db_control& m) {
  const auto& r = m.request<control::db_fill>();
  if (config_.kind != db_kind::volatile_db) return m.answer.fail("not a volatile database");
  if (!thawed() || !map_applies(gen_, view_->gen) || store_use_ != store_use::here)
    return m.answer.fail("not in use now");
  const auto& changes = store_->changes();
  const auto base = r.base == generation::invalid ? content() : r.base;
  if (!notes_changes() || !changes.reaches(base))
    return m.answer.status(fill_base_unknown, "what was changed since then is not known");
  rec_buffer_builder part(config_.id, part_size);
  const auto from = r.begun != 0 ? scan_position::after(r.after) : scan_position();
  const auto next = store_->scan(from, [&](const record_view& record) {
    if (!part.empty() && part.size_with(record.key.size(), record.data.size()) > part_size)
      return false;
    if (changes.changed_since(base, record.key) && !mutated(mutant::changed_records_filled))
      part.add_plain(record.key, {});
    else
      part.add(record.key, record.header, record.data);
    return true;
  });
  if (!next) {
    storage_failed("scan", next.error());
    return m.answer.fail("cannot read: " + next.error().text);
  }
  const bytes records = part.take();
  m.answer.good(wire::encode(db_fill_part{.base = base,
                                          .at_end = next->at_end() ? 1U : 0U,
                                          .in_all = store_->count().value_or(0),
                                          .records = records}));
}

// --- of one that is filled ---------------------------------------------------------------------------------------

void database::on(db_fill_from& m) {
  const auto refuse = [&](std::string why) {
    tell_fill(m.fill, fill_end::refused, std::move(why));
  };
  if (config_.kind != db_kind::volatile_db || !store_) return refuse("cannot be filled");
  if (store_use_ != store_use::here || freeze_.state == freeze_state::in_transaction)
    return refuse("a recovery is at work here");
  if (m.anew || !fill_) {
    if (!empty_for_fill()) return refuse("cannot be emptied");
    fill_.emplace();
  }
  fill_->fill = m.fill;
  fill_->from = m.from;
  fill_->bytes_per_second = m.bytes_per_second;
  ask_for_part();
}

/// What this copy had counts nowhere any more, and nobody is served with it. Who holds a lock has held it for nothing.
bool database::empty_for_fill() {
  if (gen_ != generation::invalid && own_freeze_ == own_freeze::none) return false;  // it may count
  if (gen_ != generation::invalid || !freeze_.records_invalid) {
    become_inactive();
    void_locks("outdated");
  }
  fill_.reset();
  drop_what_waits();
  drop_table_content();
  store_->changes().forget();
  if (const auto n = store_->count(); n && *n == 0) return true;
  if (auto done = store_->wipe(); !done) {
    storage_failed("wipe", done.error());
    return false;
  }
  return true;
}

void database::ask_for_part() {
  node_.tell(call_control{.to = fill_->from,
                          .opcode = control::db_fill,
                          .data = wire::encode(db_fill_request{.db_id = config_.id,
                                                               .base = fill_->base,
                                                               .begun = fill_->begun ? 1U : 0U,
                                                               .after = fill_->last_key}),
                          .patience = part_patience,
                          .answer = replier([to = self(), fill = fill_->fill](control_answer a) {
                            to.tell(db_fill_came{fill, std::move(a)});
                          })});
}

void database::on(db_fill_came& m) {
  if (!fill_ || fill_->fill != m.fill || fill_->full) return;
  const auto refuse = [&](std::string why) {
    tell_fill(m.fill, fill_end::refused, std::move(why));
  };
  if (store_use_ != store_use::here || freeze_.state != freeze_state::frozen ||
      !freeze_.records_invalid)
    return refuse("a recovery is at work here");
  if (m.answer.status == fill_base_unknown)
    return tell_fill(m.fill, fill_end::unknown, text_of(m.answer));
  if (m.answer.status != 0) return refuse(text_of(m.answer));
  const auto part = wire::decode<db_fill_part>(m.answer.data);
  if (!part) return refuse("an unreadable part");
  const auto records = wire::decode<rec_buffer>(part->records);
  if (!records || records->db_id() != config_.id || part->base == generation::invalid)
    return refuse("an unreadable part");
  if (fill_->base != generation::invalid && part->base != fill_->base)
    return refuse("a part of another content");
  if (records->count() == 0 && part->at_end == 0) return refuse("an empty part");
  if (const auto why = take_part(*records); !why.empty()) return refuse(why);
  fill_->base = part->base;
  fill_->in_all = part->in_all;
  fill_->full = part->at_end != 0;
  if (mutated(mutant::joiner_counts_too_early)) fill_->full |= 2 * fill_->records >= fill_->in_all;
  tell_fill(m.fill, fill_->full ? fill_end::full : fill_end::part, {});
  if (!fill_->full) ask_later(m.answer.data.size());
}

/// Empty: all are stored.
std::string database::take_part(const rec_buffer& part) {
  std::vector<record_view> all;
  all.reserve(part.count());
  for (const rec_data& r : part) {
    const auto record = r.as_record();
    if (!record && !r.data.empty()) return "a record with half a header";
    if (record) all.push_back(*record);
  }
  if (auto done = store_->bulk_store(all); !done) {
    storage_failed("store", done.error());
    return "cannot store: " + done.error().text;
  }
  storage_works();
  for (const rec_data& r : part) {
    if (r.data.empty()) fill_->changed.insert(r.key);
    fill_->last_key = r.key;
    fill_->begun = true;
  }
  fill_->records += part.count();
  return {};
}

void database::ask_later(std::size_t after_bytes) {
  const auto rate = fill_->bytes_per_second;
  const auto pause = rate == 0 ? duration{0}
                               : std::chrono::duration_cast<duration>(std::chrono::duration<double>(
                                     static_cast<double>(after_bytes) / static_cast<double>(rate)));
  env_.loop.after(pause, [to = self(), fill = fill_->fill] { to.tell(db_fill_on{fill}); });
}

void database::on(db_fill_on& m) {
  if (fill_ && fill_->fill == m.fill && !fill_->full) ask_for_part();
}

void database::tell_fill(fill_number fill, fill_end what, std::string why) {
  node_.tell(database_fill{.id = config_.id,
                           .fill = fill,
                           .what = what,
                           .records = fill_ ? fill_->records : 0,
                           .in_all = fill_ ? fill_->in_all : 0,
                           .why = std::move(why)});
}

/// In this transaction it has said that it was filled, and with what.
bool database::commits_what_was_filled() const {
  return fill_ && fill_->full && fill_->told_in == freeze_.tid && !freeze_.wiped;
}

}  // namespace floe
