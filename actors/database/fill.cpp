/// How the copy of a node that joins is filled before the node takes part (protocol/rules/joining.hpp): the parts that a
/// database in use gives of its content, and when one that counts nowhere may be filled (copy_filler.hpp).
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
    if (filling_.is_full()) claim(content_claim::filled, filling_.base());
  }
  m.tell(std::move(all));
}

// --- of a database in use ----------------------------------------------------------------------------------------

/// What has changed since the base is sent as keys: the receiver may have them in no state, or that of the base, and so
/// it does not matter how long the scan takes, nor which recoveries commit meanwhile.
void database::give_part(db_control& m) {
  const auto& r = m.request<control::db_fill>();
  if (config_.kind != db_kind::volatile_db) return m.answer.fail("not a volatile database");
  if (!thawed() || !port_.is_of_map() || store_use_ != store_use::here)
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
    storage_.failed("scan", next.error());
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
  const auto refuse = [&](const char* why) { filling_.refuse(m.fill, why); };
  if (config_.kind != db_kind::volatile_db || !store_) return refuse("cannot be filled");
  if (store_use_ != store_use::here || freeze_.state == freeze_state::in_transaction)
    return refuse("a recovery is at work here");
  if (m.anew || !filling_.has_begun()) {
    if (!empty_for_fill())
      return refuse("what it has may count, a client still holds a lock, or it cannot be emptied");
    filling_.begin_anew();
  }
  filling_.go_on(m);
}

/// What this copy had counts nowhere any more, and nobody is served with it. Who holds a lock learns it at his next word.
bool database::empty_for_fill() {
  filling_.forget();
  if (gen_ != generation::invalid && own_freeze_ == own_freeze::none) return false;
  if (gen_ != generation::invalid || !freeze_.records_invalid) become_inactive();
  void_locks("outdated");
  if (freeze_.state != freeze_state::frozen) return false;
  drop_what_waits();
  table_.drop_content();
  store_->changes().forget();
  if (const auto n = store_->count(); n && *n == 0) return true;
  if (auto done = store_->wipe(); !done) {
    storage_.failed("wipe", done.error());
    return false;
  }
  return true;
}

void database::on(db_fill_came& m) {
  filling_.on(m, store_use_ == store_use::here && freeze_.state == freeze_state::frozen &&
                     freeze_.records_invalid);
}

/// In this transaction it has said that it was filled, and with what.
bool database::commits_what_was_filled() const {
  return filling_.was_told_in(freeze_.tid) && !freeze_.wiped;
}

}  // namespace floe
